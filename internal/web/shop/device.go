package shop

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/ident"
)

// A browser in which an account was signed in before keeps a signed note of it. Wrong passwords from elsewhere lock the account's
// name for all browsers but these, which have a limit of their own: so no stranger can lock somebody out. The note lets nobody
// in, says nothing of the person, and is worthless after a new password, until the next sign-in.
const (
	deviceCookie = "may"
	deviceLife   = 365 * 24 * time.Hour
	maxDevices   = 3 // accounts that share one browser
	oneDay       = 24 * time.Hour
)

// known is one note: which account, in which of its epochs, since which day, and a name of its own.
type known struct {
	id    int64
	epoch int
	day   int64
	name  string
}

func (k known) text() string {
	return fmt.Sprintf("%s.%d.%d.%s", strconv.FormatInt(k.id, 36), k.epoch, k.day, k.name)
}

func (s *Shop) signDevice(text string) string {
	m := hmac.New(sha256.New, s.DeviceKey)
	m.Write([]byte("known device\x00" + text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// devices are the notes of this browser that we have signed and that still hold, the newest first.
func (s *Shop) devices(c *gin.Context) []known {
	var out []known
	for _, token := range strings.SplitN(cookie(c, deviceCookie), "~", maxDevices+1) {
		at := strings.LastIndexByte(token, '.')
		if at < 0 || len(out) == maxDevices || !hmac.Equal([]byte(s.signDevice(token[:at])), []byte(token[at+1:])) {
			continue
		}
		if k, ok := readDevice(token[:at]); ok && s.Clock.Now().Before(time.Unix(k.day*int64(oneDay/time.Second), 0).Add(deviceLife)) {
			out = append(out, k)
		}
	}
	return out
}

func readDevice(text string) (k known, ok bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 4 {
		return k, false
	}
	var faults [3]error
	k.id, faults[0] = strconv.ParseInt(parts[0], 36, 64)
	k.epoch, faults[1] = strconv.Atoi(parts[1])
	k.day, faults[2] = strconv.ParseInt(parts[2], 10, 64)
	k.name = parts[3]
	return k, faults == [3]error{} && k.name != ""
}

// knownDevice names this browser if the account that an identifier means was signed in in it before, since its last new
// password; else it is empty. A browser without a note costs nothing, so that no time tells who has an account.
func (s *Shop) knownDevice(c *gin.Context, identifier string) string {
	all := s.devices(c)
	contact, bad := account.ParseContact(identifier)
	if len(all) == 0 || bad != nil {
		return ""
	}
	a, err := s.Accounts.ByContact(c.Request.Context(), contact)
	if err != nil || a.Closed {
		return ""
	}
	for _, k := range all {
		if k.id == a.ID && k.epoch == a.Epoch {
			return owner(a.ID) + ":" + k.name
		}
	}
	return ""
}

// remember notes in this browser that an account was signed in in it.
func (s *Shop) remember(c *gin.Context, a account.Account) {
	mine := known{id: a.ID, epoch: a.Epoch, day: s.Clock.Now().Unix() / int64(oneDay/time.Second)}
	others := slices.DeleteFunc(s.devices(c), func(k known) bool {
		if k.id == a.ID && mine.name == "" {
			mine.name = k.name // it stays the same browser, with what it has left of its limit
		}
		return k.id == a.ID
	})
	if mine.name == "" {
		mine.name = ident.Token()[:16]
	}
	all := append([]known{mine}, others...)
	tokens := make([]string, 0, maxDevices)
	for _, k := range all[:min(len(all), maxDevices)] {
		tokens = append(tokens, k.text()+"."+s.signDevice(k.text()))
	}
	s.setCookie(c, deviceCookie, strings.Join(tokens, "~"), deviceLife)
}
