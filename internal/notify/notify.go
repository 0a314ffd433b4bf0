// Package notify tells people things: it renders a mail or a short message in the reader's language and sends it, once.
//
// Table: message. A mail is asked for by a job, so it exists if and only if its cause does, and carries a request key:
// the same key is sent once, however often the job runs. Should the program die between the mail server's answer and
// our note of it, the mail goes out twice with the same Message-ID, which is better than not at all.
package notify

import (
	"context"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
)

// Mail is what shall be told. Data is what the templates mail/Template.html and .txt see as .Data, Template being Kind
// unless several kinds share one; the subject is the text key mail.Kind.subject with SubjectArgs.
type Mail struct {
	RequestKey  string
	Kind        string
	Template    string
	To          string
	Locale      i18n.Locale
	SubjectArgs map[string]any
	Data        any
	// Secret marks a mail with a code or link that lets somebody in: of it only that it was sent is kept, to whom and
	// what it said is not. When it has to be sent again it is rendered anew.
	Secret bool
}

// Text is a short message to a phone in E.164: the text key sms.Kind with Args. It is always secret in the sense of Mail.
type Text struct {
	RequestKey string
	Kind       string
	To         string
	Locale     i18n.Locale
	Args       map[string]any
}

// Letter is a rendered mail, ready to be sent. ID becomes its Message-ID.
type Letter struct {
	ID, To, Subject, Text, HTML string
	Locale                      i18n.Locale
}

// Sender hands a letter to a mail server, or to a folder; adapter/mail fills it.
type Sender interface {
	Send(ctx context.Context, l Letter) error
}

// Texter hands a short message to a phone network, or to a folder; adapter/sms fills it.
type Texter interface {
	Text(ctx context.Context, phone, text string) error
}

// Service holds the verbs of this package.
type Service struct {
	db     *db.DB
	clock  clock.Clock
	sender Sender
	texter Texter
	pages  pages
	site   Site
}
