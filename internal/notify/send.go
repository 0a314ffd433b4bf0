package notify

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	texttemplate "text/template"
	"time"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
)

// Site is what every mail says of its sender.
type Site struct {
	Name     string
	URL      string // without a slash at the end
	Operator string
	Address  string
	Email    string
}

type pages struct {
	html *htmltemplate.Template
	text *texttemplate.Template
}

// New parses the mails in the folder mail of files; one that does not parse stops the program at start.
func New(d *db.DB, c clock.Clock, s Sender, files fs.FS, site Site) (*Service, error) {
	h, err := htmltemplate.ParseFS(files, "mail/*.html")
	if err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	t, err := texttemplate.ParseFS(files, "mail/*.txt")
	if err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	return &Service{db: d, clock: c, sender: s, pages: pages{h, t}, site: site}, nil
}

// Model is what a mail template sees: the data of the mail, the sender, and the texts in the reader's language.
type Model struct {
	Locale  i18n.Locale
	Subject string
	Site    Site
	Data    any
}

// T is the text of a key; args alternate name and value.
func (m Model) T(key string, args ...any) string {
	named := make(map[string]any, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		named[fmt.Sprint(args[i])] = args[i+1]
	}
	return i18n.T(m.Locale, key, named)
}

// Lang is the language for the html element.
func (m Model) Lang() string { return string(m.Locale) }

// Render writes the mail without sending it.
func (s *Service) Render(m Mail) (Letter, error) {
	l := Letter{ID: m.RequestKey, To: m.To, Locale: m.Locale, Subject: i18n.T(m.Locale, "mail."+m.Kind+".subject", m.SubjectArgs)}
	model := Model{Locale: m.Locale, Subject: l.Subject, Site: s.site, Data: m.Data}
	name := cmp.Or(m.Template, m.Kind)
	var html, text bytes.Buffer
	if err := s.pages.html.ExecuteTemplate(&html, name+".html", model); err != nil {
		return Letter{}, fmt.Errorf("notify: %w", err)
	}
	if err := s.pages.text.ExecuteTemplate(&text, name+".txt", model); err != nil {
		return Letter{}, fmt.Errorf("notify: %w", err)
	}
	l.HTML, l.Text = html.String(), text.String()
	return l, nil
}

// Send tells it once: a key that was sent before does nothing. An error means try again later.
func (s *Service) Send(ctx context.Context, m Mail) error {
	if m.To == "" {
		return nil
	}
	l, err := s.Render(m)
	if err != nil {
		return err
	}
	stored := l
	if m.Secret {
		stored = bare(l)
	}
	return s.once(ctx, m.Kind, stored, func(kept Letter) error {
		if m.Secret {
			kept = l
		}
		return s.sender.Send(ctx, kept)
	})
}

// bare is a letter of which nothing may be kept but that there was one.
func bare(l Letter) Letter { return Letter{ID: l.ID, Locale: l.Locale} }

// once keeps the letter and sends what is kept, unless it was sent before.
func (s *Service) once(ctx context.Context, kind string, l Letter, send func(Letter) error) error {
	kept, err := keep(ctx, s.db.Primary(ctx), kind, l, s.clock.Now())
	if err != nil {
		return fmt.Errorf("notify: keep %s: %w", l.ID, err)
	}
	if kept.SentAt != nil {
		return nil
	}
	if err := send(kept.letter()); err != nil {
		return fmt.Errorf("notify: send %s: %w", l.ID, err)
	}
	if err := markSent(ctx, s.db.Primary(ctx), kept.ID, s.clock.Now()); err != nil {
		return fmt.Errorf("notify: mark %s: %w", l.ID, err)
	}
	return nil
}

// WithTexter lets the service send short messages.
func (s *Service) WithTexter(t Texter) *Service {
	s.texter = t
	return s
}

// Texts reports whether short messages can be sent.
func (s *Service) Texts() bool { return s.texter != nil }

// SendText tells it to a phone, once, as Send does.
func (s *Service) SendText(ctx context.Context, t Text) error {
	if s.texter == nil {
		return errors.New("notify: no way to send short messages is set up")
	}
	text := i18n.T(t.Locale, "sms."+t.Kind, t.Args)
	return s.once(ctx, "sms_"+t.Kind, bare(Letter{ID: t.RequestKey, Locale: t.Locale}), func(Letter) error { return s.texter.Text(ctx, t.To, text) })
}

// Sent is a mail that went to somebody: what it was about, not what it said.
type Sent struct {
	Kind    string    `json:"kind"`
	Subject string    `json:"subject"`
	To      string    `json:"to"`
	At      time.Time `json:"at"`
}

// SentTo lists the mails to these addresses, in small letters, oldest first. Mails with codes or links that let somebody in are
// not among them: of these nothing is kept.
func (s *Service) SentTo(ctx context.Context, addresses []string) ([]Sent, error) {
	if len(addresses) == 0 {
		return nil, nil
	}
	out, err := sentTo(ctx, s.db.Primary(ctx), addresses)
	if err != nil {
		return nil, fmt.Errorf("notify: sent: %w", err)
	}
	return out, nil
}

// Forget takes out of what was sent to these addresses who it went to and what it said. That something was sent stays, and
// nothing of it is sent again.
func (s *Service) Forget(ctx context.Context, tx db.Tx, addresses []string) error {
	if len(addresses) == 0 {
		return nil
	}
	if err := forget(ctx, tx, addresses, s.clock.Now()); err != nil {
		return fmt.Errorf("notify: forget: %w", err)
	}
	return nil
}
