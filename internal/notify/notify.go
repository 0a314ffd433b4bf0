// Package notify tells people things: it renders a mail in the reader's language and sends it, once.
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

// Service holds the verbs of this package.
type Service struct {
	db     *db.DB
	clock  clock.Clock
	sender Sender
	pages  pages
	site   Site
}
