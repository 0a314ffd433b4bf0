package mail_test

import (
	"bufio"
	"context"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"choocop.vn/ocop/internal/adapter/mail"
	"choocop.vn/ocop/internal/notify"
	"choocop.vn/ocop/internal/platform/i18n"
)

var letter = notify.Letter{ID: "order-placed-7", To: "hoa@vidu.vn", Subject: "Đã nhận đơn hàng", Text: "Chào bạn", HTML: "<p>Chào bạn</p>", Locale: i18n.VI}

const from = "Chợ OCOP <khong-tra-loi@cho.example>"

func TestWithoutAServerLettersGoToAFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mail")
	s, err := mail.New("", from, dir)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Send(context.Background(), letter); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(filepath.Join(dir, "order-placed-7.eml"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := netmail.ReadMessage(f)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(m.Header.Get("Content-Type"), "multipart/alternative") || !strings.Contains(m.Header.Get("To"), "hoa@vidu.vn") || m.Header.Get("Message-ID") == "" {
		t.Fatalf("%v", m.Header)
	}
}

func TestAnAddressThatIsNotAServerIsRefusedWithoutPrintingIt(t *testing.T) {
	for _, a := range []string{"mail.example:25", "http://mail.example", "smtp://", "smtp://user:hunter2@host:port"} {
		_, err := mail.New(a, from, "")
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", a, err)
		}
	}
}

// server answers one SMTP conversation; refuse makes it turn the recipient down.
func server(t *testing.T, refuse bool) (address string, got chan string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	got = make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		say := func(s string) { c.Write([]byte(s + "\r\n")) }
		say("220 test")
		var body strings.Builder
		data := false
		for in := bufio.NewScanner(c); in.Scan(); {
			line := in.Text()
			switch {
			case data && line == ".":
				data = false
				got <- body.String()
				say("250 kept")
			case data:
				body.WriteString(line + "\n")
			case strings.HasPrefix(line, "RCPT") && refuse:
				say("550 no such mailbox " + line)
			case line == "DATA":
				data = true
				say("354 go on")
			case line == "QUIT":
				say("221 bye")
				return
			default:
				say("250 fine")
			}
		}
	}()
	return "smtp://" + l.Addr().String(), got
}

func TestALetterIsHandedToTheServer(t *testing.T) {
	address, got := server(t, false)
	s, err := mail.New(address, from, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(context.Background(), letter); err != nil {
		t.Fatal(err)
	}
	if body := <-got; !strings.Contains(body, "Subject: =?UTF-8?") || !strings.Contains(body, "text/html") {
		t.Fatal(body)
	}
}

func TestARefusalDoesNotNameTheRecipient(t *testing.T) {
	address, _ := server(t, true)
	s, err := mail.New(address, from, "")
	if err != nil {
		t.Fatal(err)
	}
	err = s.Send(context.Background(), letter)
	if err == nil || strings.Contains(err.Error(), "hoa@") {
		t.Fatalf("got %v", err)
	}
}
