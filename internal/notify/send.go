package notify

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	texttemplate "text/template"

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
	kept, err := keep(ctx, s.db.Primary(ctx), m.Kind, l, s.clock.Now())
	if err != nil {
		return fmt.Errorf("notify: keep %s: %w", m.RequestKey, err)
	}
	if kept.SentAt != nil {
		return nil
	}
	if err := s.sender.Send(ctx, kept.letter()); err != nil {
		return fmt.Errorf("notify: send %s: %w", m.RequestKey, err)
	}
	if err := markSent(ctx, s.db.Primary(ctx), kept.ID, s.clock.Now()); err != nil {
		return fmt.Errorf("notify: mark %s: %w", m.RequestKey, err)
	}
	return nil
}
