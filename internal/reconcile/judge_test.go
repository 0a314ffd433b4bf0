package reconcile

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/money"
)

// heard reports whether a memo holds the whole code of an order, and its purchase's.
func heard(said, code string) (whole, group bool) {
	found, _ := order.Mentions(said)
	for _, f := range found {
		whole = whole || f.Code == code
		group = group || f.Group == code[:len(code)-2]
	}
	return whole, group
}

func TestMemosAsBanksWriteThem(t *testing.T) {
	const code = "K7M4-92QX-A"
	for _, said := range []string{
		"OCOP K7M492QXA", "OCOPK7M492QXA", "ocop k7m492qxa", "ocop k7m4 92qx a", "Ocop.K7M4-92QX-A", "K7M492QXA", "COP K7M492QXA", "P K7M492QXA",
		"MBVCB.3278907687.OCOP K7M492QXA.CT tu 0071000123456 NGUYEN THI HOA toi 19036 HTX DUA SAP",
		"CT DEN:432112345678 OCOP K7M492QXA", "NGUYEN VAN AN chuyen tien OCOP K7M492QXA FT26328123456789", "thanh toán đơn OCOP K7M492QXA giúp mẹ",
		"IBFT OCOP K7M492QXA-261124-13:02:55", "OCOP_K7M492QXA_GD 1234567", "QR   OCOP    K7M492 QXA  Trace 998877", "ÔCÔP K7M492QXÁ",
		"VCB;0123456789;OCOPK7M492QXA;", "ND:OCOP K7M492QXA; tai iPay", "SHGD:10001234.DD:241124.BO:TRAN VAN B.Remark:OCOP K7M492QXA",
	} {
		if whole, _ := heard(said, code); !whole {
			t.Errorf("%q: the code is not heard", said)
		}
	}
	for _, said := range []string{"OCOP K7M492QX", "MBVCB.327890.OCOP K7M492QX", "OCOPK7M492QX 123456"} {
		if whole, group := heard(said, code); whole || !group {
			t.Errorf("%q: order %v, purchase %v", said, whole, group)
		}
	}
	// Neighbours, and what was cut short, are not the order.
	for _, said := range []string{"", "OCOP", "OCOP K7M492Q", "OCOP 7M492QXA", "OCOP K7M492QYA", "OCOP K7M429QXA", "OCOP KTM492QXA", "chuyen tien", "OCOP 07M492QXA", "OCOP K7M492QXB"} {
		if whole, _ := heard(said, code); whole {
			t.Errorf("%q is taken for %s", said, code)
		}
	}
}

func TestAMemoSaysWhetherItGivesItselfOutToHoldACode(t *testing.T) {
	for said, want := range map[string]bool{
		"OCOP K7M492QXA": true, "K7M492QX": true, "don K7M492QXA nhe": true, "OCOPABCDEFGH": true,
		"": false, "NGUYEN THI HANH chuyen tien": false, "CHUYENTIEN": false, "FT26328123456789": false, "23456789": false, "tra tien hang OCOP": false,
	} {
		if _, claims := order.Mentions(said); claims != want {
			t.Errorf("%q: %v", said, claims)
		}
	}
}

const partLetters = "ABCDEFGHJKMNPQRSTUVWXYZ"

// canonical is a code as the tables have it.
func canonical(c string) string {
	out := c[:4] + "-" + c[4:8]
	if len(c) > 8 {
		out += "-" + c[8:]
	}
	return out
}

// mangled is a memo as one of many banks would hand it on.
func mangled(t *rapid.T, code string) string {
	said := "OCOP " + ident.Normalise(code)
	if rapid.Bool().Draw(t, "glued") {
		said = strings.ReplaceAll(said, " ", "")
	}
	front := rapid.SampledFrom([]string{"", "MBVCB.3278907687.", "CT DEN:432112345678 ", "IBFT ", "NGUYEN VAN AN chuyen tien ", "SHGD:1000.DD:241124.", "vcb;0123;"}).Draw(t, "front")
	back := rapid.SampledFrom([]string{"", ".CT tu 0071000123456 NGUYEN THI HOA", " FT26328123456789", "-261124-13:02:55", " GD 998877", "CT", "ABCDEFGH"}).Draw(t, "back")
	said = front + said + back
	switch rapid.IntRange(0, 3).Draw(t, "case") {
	case 1:
		said = strings.ToLower(said)
	case 2:
		said = strings.ToUpper(said)
	}
	if rapid.Bool().Draw(t, "spaced") {
		at := rapid.IntRange(0, len(said)).Draw(t, "space")
		said = said[:at] + rapid.SampledFrom([]string{" ", ".", "-", "\n"}).Draw(t, "sign") + said[at:]
	}
	if most := rapid.SampledFrom([]int{1000, 20, 25, 35, 50}).Draw(t, "most"); len(said) > most {
		said = said[:most]
	}
	if drop := rapid.SampledFrom([]int{0, 0, 0, 3, 6, 8}).Draw(t, "drop"); drop < len(said) {
		said = said[drop:]
	}
	return said
}

// neighbour is a code that looks like another: a sign changed, two exchanged, all moved by one, or only another letter.
func neighbour(t *rapid.T, code string) string {
	signs := []byte(ident.Normalise(code))
	i := rapid.IntRange(0, 6).Draw(t, "place")
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		signs[i] = ident.Alphabet[rapid.IntRange(0, len(ident.Alphabet)-1).Draw(t, "sign")]
	case 1:
		signs[i], signs[i+1] = signs[i+1], signs[i]
	case 2:
		copy(signs[1:8], signs[:7])
		signs[0] = 'P'
	case 3:
		signs[8] = partLetters[rapid.IntRange(0, len(partLetters)-1).Draw(t, "letter")]
	}
	return canonical(string(signs))
}

func drawCode(t *rapid.T) string {
	return canonical(rapid.StringOfN(rapid.SampledFrom([]rune(ident.Alphabet)), 8, 8, -1).Draw(t, "group") + "ABCD"[rapid.IntRange(0, 3).Draw(t, "n"):][:1])
}

func asked(id int64, code string, amount money.VND) candidate {
	c := candidate{Due: order.Due{ID: id, Code: code, State: order.AwaitingPayment, Total: amount, PaymentID: id}}
	for i := range len(code) - 2 {
		c.GroupID = c.GroupID*31 + int64(code[i])
	}
	c.payment = payment.Payment{ID: id, Reference: code, Method: payment.VietQR, State: payment.Pending, Amount: 250_000, Account: payment.Account{BankBIN: "970436", AccountNo: "0011"}}
	return c
}

// Whatever a bank does to the memo of one order, no other order of the same account and amount is settled by it, unless
// the memo says the whole code of the other.
func TestAMangledMemoNeverSettlesAnotherOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawCode(t)
		all := []candidate{asked(1, a, 250_000)}
		for i := range rapid.IntRange(1, 4).Draw(t, "others") {
			if b := neighbour(t, a); b != a {
				all = append(all, asked(int64(i+2), b, 250_000))
			}
		}
		said := mangled(t, a)
		found, claims := order.Mentions(said)
		v := judge(Notice{AccountNo: "0011", BankBIN: "970436", Amount: 250_000, Memo: said}, found, claims, all)
		text := ident.Normalise(said)
		if v.settle != "" && v.settle != a && !strings.Contains(text, ident.Normalise(v.settle)) {
			t.Fatalf("%q of %s settles %s among %d", said, a, v.settle, len(all))
		}
		if v.settle == "" && v.reason == "" {
			t.Fatalf("%q: nothing is decided", said)
		}
	})
}

// A memo that keeps the whole code settles its order where no other code can be read from it.
func TestAWholeCodeSettlesItsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawCode(t)
		said := mangled(t, a)
		found, claims := order.Mentions(said)
		v := judge(Notice{AccountNo: "0011", Amount: 250_000, Memo: said}, found, claims, []candidate{asked(1, a, 250_000)})
		if whole := strings.Contains(ident.Normalise(said), ident.Normalise(a)); whole && v.settle != a {
			t.Fatalf("%q does not settle %s: %+v", said, a, v)
		}
	})
}

func TestJudgeSendsDoubtToAPerson(t *testing.T) {
	mine, sibling, other := asked(1, "K7M4-92QX-A", 250_000), asked(2, "K7M4-92QX-B", 250_000), asked(3, "W3W3-W3W3-A", 250_000)
	foreign := sibling
	foreign.payment.Account.AccountNo = "0099"
	paid, cash := mine, mine
	paid.payment.State = payment.Paid
	cash.payment.Method, cash.payment.Account = payment.COD, payment.Account{}
	cheap := sibling
	cheap.payment.Amount = 10_000
	for _, k := range []struct {
		name, said string
		amount     int64
		all        []candidate
		settle     string
		reason     Reason
	}{
		{"exact", "OCOP K7M492QXA", 250_000, []candidate{mine}, mine.Code, ""},
		{"too little", "OCOP K7M492QXA", 249_999, []candidate{mine}, "", Under},
		{"too much", "OCOP K7M492QXA", 250_001, []candidate{mine}, "", Over},
		{"paid before, whatever the amount", "OCOP K7M492QXA", 1, []candidate{paid}, paid.Code, ""},
		{"cash", "OCOP K7M492QXA", 250_000, []candidate{cash}, "", NotATransfer},
		{"into another account", "OCOP K7M492QXB", 250_000, []candidate{foreign}, "", OtherAccount},
		{"two orders", "OCOP K7M492QXA OCOP W3W3W3W3A", 250_000, []candidate{mine, other}, "", SeveralCodes},
		{"an order and half of another", "OCOP K7M492QXA OCOP W3W3W3W3", 250_000, []candidate{mine, other}, "", SeveralCodes},
		{"letter lost, one order here", "OCOP K7M492QX", 250_000, []candidate{mine, foreign}, mine.Code, ""},
		{"letter lost, two of one price", "OCOP K7M492QX", 250_000, []candidate{mine, sibling}, "", SeveralCodes},
		{"letter lost, the price tells", "OCOP K7M492QX", 250_000, []candidate{mine, cheap}, mine.Code, ""},
		{"letter of the order of another account", "OCOP K7M492QXB", 250_000, []candidate{mine, foreign}, "", OtherAccount},
		{"letter lost, too little", "OCOP K7M492QX", 200_000, []candidate{mine, foreign}, "", Under},
		{"unknown", "OCOP K7M492QXA", 250_000, nil, "", UnknownCode},
		{"nothing said", "chuyen tien", 250_000, nil, "", NoCode},
	} {
		found, claims := order.Mentions(k.said)
		v := judge(Notice{AccountNo: "0011", BankBIN: "970436", Amount: money.VND(k.amount), Memo: k.said}, found, claims, k.all)
		if v.settle != k.settle || v.reason != k.reason {
			t.Errorf("%s: %+v", k.name, v)
		}
	}
}

// FuzzMemo wants no memo to bring the parser down, and no code to be heard that is not said.
func FuzzMemo(f *testing.F) {
	for _, said := range []string{"MBVCB.123.OCOP K7M492QXA.CT tu 0011 NGUYEN VAN A", "OCOPK7M492QXA", "ocop k7m4 92qx a", "MBVCB.3278907687.OCOP K7M", "OCOP K7M492QX", "\x00\xff", "ÔCỘP Ｋ７Ｍ492QXA",
		"đơn OCOP K7M492QXA", strings.Repeat("K7M492QXA", 100)} {
		f.Add(said)
	}
	f.Fuzz(func(t *testing.T, said string) {
		found, _ := order.Mentions(said)
		if len(found) > len(said) {
			t.Fatalf("%d places in %d bytes", len(found), len(said))
		}
		for _, m := range found {
			if len(m.Group) != 9 || m.Code != "" && len(m.Code) != 11 || m.Code != "" && !strings.HasPrefix(m.Code, m.Group+"-") {
				t.Fatalf("%+v", m)
			}
		}
		nearness(said, "K7M4-92QX-A")
	})
}
