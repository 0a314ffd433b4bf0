package shopper_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/shopper"
	"choocop.vn/ocop/internal/testkit"
)

const (
	site     = "https://cho.example"
	password = "mật khẩu đủ dài"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, clock.HCM)

// people is the service with what passkeys need.
type people struct {
	*shopper.Service
	db    *db.DB
	clock *clock.Settable
}

func open(t *testing.T) *people {
	t.Helper()
	d, c := testkit.DB(t), clock.Fixed(noon)
	return &people{shopper.New(shopper.Deps{DB: d, Clock: c, Accounts: account.New(d)},
		shopper.Config{Secret: []byte("a secret of tests, thirty-two bytes"), BaseURL: site, Name: "Chợ OCOP"}), d, c}
}

func (p *people) person(t *testing.T, email string) int64 {
	t.Helper()
	a, err := p.Accounts.Register(context.Background(), account.Registration{Email: email, Name: "Lê Thị Lan", Password: password, Actor: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

// device is a key in software, with all that a forger could turn.
type device struct {
	id      []byte
	key     *ecdsa.PrivateKey
	handle  []byte
	origin  string
	rpID    string
	flags   byte // present and verified
	counter uint32
}

func newDevice(t *testing.T) *device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := &device{id: make([]byte, 16), key: key, origin: site, rpID: "cho.example", flags: 0x05, counter: 1}
	_, _ = rand.Read(d.id)
	return d
}

var b64 = base64.RawURLEncoding

// question is what a browser reads of the options.
func question(t *testing.T, options []byte) (challenge string, handle []byte) {
	t.Helper()
	var o struct {
		PublicKey struct {
			Challenge string
			User      struct{ ID string }
		}
	}
	if err := json.Unmarshal(options, &o); err != nil {
		t.Fatal(err)
	}
	handle, err := b64.DecodeString(o.PublicKey.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	return o.PublicKey.Challenge, handle
}

func (d *device) data(flags byte, more []byte) []byte {
	rp := sha256.Sum256([]byte(d.rpID))
	out := append(slices.Clone(rp[:]), flags)
	return append(binary.BigEndian.AppendUint32(out, d.counter), more...)
}

func (d *device) client(kind, challenge string) []byte {
	return fmt.Appendf(nil, `{"type":%q,"challenge":%q,"origin":%q,"crossOrigin":false}`, kind, challenge, d.origin)
}

func (d *device) answer(response map[string]string) []byte {
	out, _ := json.Marshal(map[string]any{"id": b64.EncodeToString(d.id), "rawId": b64.EncodeToString(d.id), "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response})
	return out
}

// made is the answer to a question for a new key.
func (d *device) made(t *testing.T, options []byte) []byte {
	t.Helper()
	challenge, handle := question(t, options)
	d.handle = handle
	point, err := d.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	public, err := webauthncbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})
	if err != nil {
		t.Fatal(err)
	}
	key := binary.BigEndian.AppendUint16(make([]byte, 16), uint16(len(d.id)))
	key = append(append(key, d.id...), public...)
	object, err := webauthncbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": d.data(d.flags|0x40, key)})
	if err != nil {
		t.Fatal(err)
	}
	return d.answer(map[string]string{"clientDataJSON": b64.EncodeToString(d.client("webauthn.create", challenge)), "attestationObject": b64.EncodeToString(object)})
}

// signed is the answer to a question at the way in.
func (d *device) signed(t *testing.T, options []byte) []byte {
	t.Helper()
	challenge, _ := question(t, options)
	data, client := d.data(d.flags, nil), d.client("webauthn.get", challenge)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(slices.Clone(data), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return d.answer(map[string]string{"clientDataJSON": b64.EncodeToString(client), "authenticatorData": b64.EncodeToString(data),
		"signature": b64.EncodeToString(signature), "userHandle": b64.EncodeToString(d.handle)})
}

// add makes a key of the account the whole way; later signs are by a higher counter.
func (p *people) add(t *testing.T, accountID int64) *device {
	t.Helper()
	d := newDevice(t)
	options, remember, err := p.BeginPasskey(context.Background(), accountID, password)
	if err == nil {
		err = p.KeepPasskey(context.Background(), accountID, remember, d.made(t, options), "Chrome · Android")
	}
	if err != nil {
		t.Fatal(err)
	}
	d.counter++
	p.clock.Advance(time.Second)
	return d
}

// enter signs in by the device and returns whom it let in.
func (p *people) enter(t *testing.T, d *device) (int64, error) {
	t.Helper()
	options, remember, err := p.AskPasskey()
	if err != nil {
		t.Fatal(err)
	}
	p.clock.Advance(time.Second)
	a, err := p.SignInByPasskey(context.Background(), remember, d.signed(t, options))
	p.clock.Advance(time.Second)
	return a.ID, err
}

// deeds counts what the audit says of an account.
func (p *people) deeds(t *testing.T, accountID int64) map[string]int {
	t.Helper()
	ctx := context.Background()
	events, err := audit.Of(ctx, p.db.Primary(ctx), "account", strconv.FormatInt(accountID, 10), 50)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, e := range events {
		count[e.Action]++
	}
	return count
}

func wantKey(t *testing.T, err error, key string) {
	t.Helper()
	l, ok := apperr.As(err)
	if !ok || l[0].Key != key {
		t.Errorf("got %v, want %s", err, key)
	}
}

const refused = "shopper.passkey.refused"

func TestAPasskeyOpensTheAccountItWasMadeFor(t *testing.T) {
	p := open(t)
	lan, hoa := p.person(t, "lan@vidu.vn"), p.person(t, "hoa@vidu.vn")
	ofLan, ofHoa := p.add(t, lan), p.add(t, hoa)
	for range 3 {
		for id, d := range map[int64]*device{lan: ofLan, hoa: ofHoa} {
			if who, err := p.enter(t, d); err != nil || who != id {
				t.Fatalf("account %d let in as %d: %v", id, who, err)
			}
			d.counter++
		}
	}
	keys, err := p.Passkeys(context.Background(), lan)
	if err != nil || len(keys) != 1 || keys[0].Used == nil || keys[0].Name != "Chrome · Android" {
		t.Errorf("the list: %+v, %v", keys, err)
	}
}

func TestAForgedAnswerOpensNothing(t *testing.T) {
	p := open(t)
	lan, hoa := p.person(t, "lan@vidu.vn"), p.person(t, "hoa@vidu.vn")
	ofLan, ofHoa := p.add(t, lan), p.add(t, hoa)
	for what, turn := range map[string]func(*device){
		"another site's page":               func(d *device) { d.origin = "https://cho-example.vn" },
		"the site without its lock":         func(d *device) { d.origin = "http://cho.example" },
		"a name below the site":             func(d *device) { d.origin = "https://shop.cho.example" },
		"another site's key":                func(d *device) { d.rpID = "example" },
		"nobody at the device":              func(d *device) { d.flags &^= 0x01 },
		"a device that knows nobody":        func(d *device) { d.flags &^= 0x04 },
		"a key that nobody has":             func(d *device) { d.id = make([]byte, 16) },
		"another's key id":                  func(d *device) { d.id = ofHoa.id },
		"another's key id and name":         func(d *device) { d.id, d.handle = ofHoa.id, ofHoa.handle },
		"another's name":                    func(d *device) { d.handle = ofHoa.handle },
		"no name":                           func(d *device) { d.handle = nil },
		"another's private key":             func(d *device) { d.key = ofHoa.key },
		"a key that claims to be copied on": func(d *device) { d.flags |= 0x18 },
	} {
		forged := *ofLan
		turn(&forged)
		if who, err := p.enter(t, &forged); who != 0 {
			t.Errorf("%s lets in account %d", what, who)
		} else {
			wantKey(t, err, refused)
		}
	}
	for _, answer := range []string{"", "{}", "null", "[]", `{"id":"x"}`, "\x00"} {
		_, remember, _ := p.AskPasskey()
		_, err := p.SignInByPasskey(context.Background(), remember, []byte(answer))
		wantKey(t, err, refused)
	}
	if who, err := p.enter(t, ofLan); who != lan {
		t.Errorf("the true key after all this: %v", err)
	}
}

func TestAKeyIsTakenOnlyAsTheAccountsOwnBrowserMadeIt(t *testing.T) {
	p, ctx := open(t), context.Background()
	lan, hoa := p.person(t, "lan@vidu.vn"), p.person(t, "hoa@vidu.vn")
	for what, turn := range map[string]func(*device){
		"another site's page":        func(d *device) { d.origin = "https://cho-example.vn" },
		"another site's key":         func(d *device) { d.rpID = "example" },
		"a device that knows nobody": func(d *device) { d.flags = 0x01 },
	} {
		d := newDevice(t)
		turn(d)
		options, remember, err := p.BeginPasskey(ctx, lan, password)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.KeepPasskey(ctx, lan, remember, d.made(t, options), ""); err == nil {
			t.Errorf("a key is taken: %s", what)
		} else {
			wantKey(t, err, refused)
		}
	}
	_, _, err := p.BeginPasskey(ctx, lan, "sai")
	wantKey(t, err, "account.password.wrong")
	// What one account was asked cannot be answered by another, nor a way in by a new key, nor the other way round.
	d := newDevice(t)
	options, remember, _ := p.BeginPasskey(ctx, lan, password)
	made := d.made(t, options)
	wantKey(t, p.KeepPasskey(ctx, hoa, remember, made, ""), refused)
	entry, entryRemember, _ := p.AskPasskey()
	wantKey(t, p.KeepPasskey(ctx, lan, entryRemember, d.made(t, entry), ""), refused)
	wantKey(t, p.KeepPasskey(ctx, lan, nil, made, ""), refused)
	if err := p.KeepPasskey(ctx, lan, remember, made, ""); err != nil {
		t.Fatal(err)
	}
	p.clock.Advance(time.Second)
	_, err = p.SignInByPasskey(ctx, remember, d.signed(t, options))
	wantKey(t, err, refused)
	// A key belongs to one account, whoever brings it again.
	for _, id := range []int64{lan, hoa} {
		options, remember, _ := p.BeginPasskey(ctx, id, password)
		wantKey(t, p.KeepPasskey(ctx, id, remember, d.made(t, options), ""), refused)
	}
}

func TestAChallengeHoldsOnceAndForFiveMinutes(t *testing.T) {
	p, ctx := open(t), context.Background()
	lan := p.person(t, "lan@vidu.vn")
	d := p.add(t, lan)

	options, remember, _ := p.AskPasskey()
	answer := d.signed(t, options)
	p.clock.Advance(shopper.ChallengeLife)
	_, err := p.SignInByPasskey(ctx, remember, answer)
	wantKey(t, err, refused)

	options, late, _ := p.BeginPasskey(ctx, lan, password)
	made := newDevice(t).made(t, options)
	p.clock.Advance(shopper.ChallengeLife)
	wantKey(t, p.KeepPasskey(ctx, lan, late, made, ""), refused)

	// A key that syncs between devices does not count: its counter stands at nothing.
	for _, counts := range []bool{true, false} {
		d := p.add(t, lan)
		if !counts {
			d = newDevice(t)
			d.counter = 0
			options, remember, _ := p.BeginPasskey(ctx, lan, password)
			if err := p.KeepPasskey(ctx, lan, remember, d.made(t, options), ""); err != nil {
				t.Fatal(err)
			}
		}
		options, remember, _ := p.AskPasskey()
		answer := d.signed(t, options)
		p.clock.Advance(shopper.ChallengeLife - time.Second)
		var wg sync.WaitGroup
		var mu sync.Mutex
		in := 0
		for range 8 {
			wg.Go(func() {
				if a, err := p.SignInByPasskey(ctx, remember, answer); err == nil && a.ID == lan {
					mu.Lock()
					in++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if in != 1 {
			t.Errorf("counts %v: one answer opened %d times", counts, in)
		}
		if a, err := p.SignInByPasskey(ctx, remember, answer); err == nil {
			t.Errorf("counts %v: the answer opens again, account %d", counts, a.ID)
		}
		p.clock.Advance(time.Second)
	}
	if n := p.deeds(t, lan)["account.passkey_copied"]; n != 0 {
		t.Errorf("an answer that came twice is taken for a copied key %d times", n)
	}
}

func TestACounterThatDoesNotGoOnIsNoted(t *testing.T) {
	p := open(t)
	lan := p.person(t, "lan@vidu.vn")
	d := p.add(t, lan)
	d.counter = 9
	if who, err := p.enter(t, d); who != lan {
		t.Fatal(err)
	}
	for _, counter := range []uint32{9, 8, 0} {
		copied := *d
		copied.counter = counter
		_, err := p.enter(t, &copied)
		wantKey(t, err, "shopper.passkey.copied")
	}
	d.counter = 10
	if who, err := p.enter(t, d); who != lan {
		t.Errorf("the device that went on: %v", err)
	}
	count := p.deeds(t, lan)
	if count["account.passkey_copied"] != 3 || count["account.sign_in_passkey"] != 2 || count["account.passkey_add"] != 1 {
		t.Errorf("the audit says %v", count)
	}
}

func TestARemovedPasskeyAndAClosedAccountOpenNothing(t *testing.T) {
	p, ctx := open(t), context.Background()
	lan, hoa := p.person(t, "lan@vidu.vn"), p.person(t, "hoa@vidu.vn")
	d := p.add(t, lan)
	keys, err := p.Passkeys(ctx, lan)
	if err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	wantKey(t, p.DropPasskey(ctx, hoa, keys[0].ID), "shopper.passkey.unknown")
	if who, err := p.enter(t, d); who != lan {
		t.Fatalf("after another tried to remove it: %v", err)
	}
	d.counter++
	if err := p.DropPasskey(ctx, lan, keys[0].ID); err != nil {
		t.Fatal(err)
	}
	wantKey(t, p.DropPasskey(ctx, lan, keys[0].ID), "shopper.passkey.unknown")
	_, err = p.enter(t, d)
	wantKey(t, err, refused)

	ofHoa := p.add(t, hoa)
	if err := p.db.Primary(ctx).Exec(`UPDATE account SET state = 'closed' WHERE id = ?`, hoa).Error; err != nil {
		t.Fatal(err)
	}
	_, err = p.enter(t, ofHoa)
	wantKey(t, err, refused)
}

func TestAnAccountHoldsTenPasskeysHoweverManyWindowsAsk(t *testing.T) {
	p, ctx := open(t), context.Background()
	lan := p.person(t, "lan@vidu.vn")
	for range shopper.MaxPasskeys - 1 {
		p.add(t, lan)
	}
	one, two := newDevice(t), newDevice(t)
	first, firstRemember, _ := p.BeginPasskey(ctx, lan, password)
	second, secondRemember, _ := p.BeginPasskey(ctx, lan, password)
	if err := p.KeepPasskey(ctx, lan, firstRemember, one.made(t, first), ""); err != nil {
		t.Fatal(err)
	}
	wantKey(t, p.KeepPasskey(ctx, lan, secondRemember, two.made(t, second), ""), "shopper.passkey.full")
	_, _, err := p.BeginPasskey(ctx, lan, password)
	wantKey(t, err, "shopper.passkey.full")
}

func TestPasskeysHoldForANameOnly(t *testing.T) {
	d := testkit.DB(t)
	for address, want := range map[string]bool{site: true, "http://localhost:8080": true, "http://127.0.0.1:8080": false, "http://[::1]:8080": false,
		"https://203.0.113.7": false, "": false} {
		s := shopper.New(shopper.Deps{DB: d, Clock: clock.Fixed(noon), Accounts: account.New(d)}, shopper.Config{Secret: []byte("x"), BaseURL: address, Name: "Chợ OCOP"})
		if s.PasskeysOpen() != want {
			t.Errorf("%q: open %v", address, !want)
		}
		if !want {
			_, _, err := s.AskPasskey()
			wantKey(t, err, "shopper.passkey.closed")
		}
	}
}
