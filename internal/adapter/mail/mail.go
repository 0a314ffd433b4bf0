// Package mail hands letters to a mail server, or in development to a folder, one .eml file each.
package mail

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"choocop.vn/ocop/internal/notify"
	"choocop.vn/ocop/internal/platform/ident"
)

const timeout = 20 * time.Second

// New returns the sender for an address such as smtp://user:password@host:587 (STARTTLS, which is compulsory when a
// password is sent) or smtps://host. An empty address puts every letter into folder.
func New(address, from, folder string) (notify.Sender, error) {
	if address == "" {
		return Folder{from, folder}, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("mail: the server's address must look like smtp://user:password@host:587") // never print it: it holds a password
	}
	options := []gomail.Option{gomail.WithTimeout(timeout), gomail.WithTLSPolicy(gomail.TLSOpportunistic)}
	if u.Scheme == "smtps" {
		options = append(options, gomail.WithSSL(), gomail.WithPort(465))
	}
	if name := u.User.Username(); name != "" {
		password, _ := u.User.Password()
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(name), gomail.WithPassword(password),
			gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if p := u.Port(); p != "" {
		port, err := strconv.Atoi(p)
		if err != nil {
			return nil, errors.New("mail: the server's port is not a number")
		}
		options = append(options, gomail.WithPort(port))
	}
	client, err := gomail.NewClient(u.Hostname(), options...)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return Server{from, client}, nil
}

// Server sends by SMTP.
type Server struct {
	from   string
	client *gomail.Client
}

// Send hands over one letter; it returns when the server has taken it.
func (s Server) Send(ctx context.Context, l notify.Letter) error {
	m, err := message(s.from, l)
	if err != nil {
		return err
	}
	if err := s.client.DialAndSendWithContext(ctx, m); err != nil {
		return fmt.Errorf("mail: %w", withoutAddress(err))
	}
	return nil
}

// withoutAddress keeps the recipient out of logs: servers repeat it in their refusals.
func withoutAddress(err error) error {
	if e, ok := errors.AsType[*gomail.SendError](err); ok {
		return fmt.Errorf("the server refused: %s, temporary %t", e.Reason, e.IsTemp())
	}
	return err
}

// Folder writes letters to files, for development.
type Folder struct{ from, dir string }

// Send writes one letter; the same letter again overwrites its file.
func (f Folder) Send(_ context.Context, l notify.Letter) error {
	m, err := message(f.from, l)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	if err := m.WriteToFile(filepath.Join(f.dir, ident.Slug(l.ID)+".eml")); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	return nil
}

func message(from string, l notify.Letter) (*gomail.Msg, error) {
	m := gomail.NewMsg()
	if err := m.From(from); err != nil {
		return nil, fmt.Errorf("mail: sender: %w", err)
	}
	if err := m.To(l.To); err != nil {
		return nil, errors.New("mail: the recipient's address is not valid")
	}
	m.Subject(l.Subject)
	m.SetMessageIDWithValue(hex.EncodeToString(ident.Hash(l.ID))[:32] + "@choocop")
	m.SetGenHeader("Content-Language", string(l.Locale))
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetBodyString(gomail.TypeTextPlain, l.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, l.HTML)
	return m, nil
}
