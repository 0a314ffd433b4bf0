package order

import (
	"cmp"
	"slices"

	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/showroom"
)

// defaultWeightG is charged for a piece whose weight nobody has entered.
const defaultWeightG = 500

// stepG is the size of one further step above the last row of a rate table.
const stepG = 500

// zone of a parcel: how far it goes, as rate tables count it.
func zone(from, to geo.Province) string {
	switch {
	case from.Code == to.Code:
		return "province"
	case from.Region == to.Region:
		return "region"
	}
	return "country"
}

// pieceG is the weight in grams that a carrier charges for one piece: its actual weight or its volume, L×W×H in cm³
// over the divisor in kilograms, whichever is more; a started gram counts.
func pieceG(o catalog.Offer, divisor int) int64 {
	actual := int64(o.WeightG)
	if actual <= 0 {
		actual = defaultWeightG
	}
	volume := int64(o.LengthCM) * int64(o.WidthCM) * int64(o.HeightCM)
	d := int64(divisor)
	return max(actual, (volume*1000+d-1)/d)
}

// chargeableG is the chargeable weight of a parcel with these lines.
func chargeableG(lines []QuoteLine, divisor int) int64 {
	var sum int64
	for _, l := range lines {
		sum += int64(l.Quantity) * pieceG(l.Offer, divisor)
	}
	return sum
}

// rate is one row of a carrier's table.
type rate struct {
	CarrierCode   string
	CarrierName   string
	CarrierNameEN string `gorm:"column:carrier_name_en"`
	Divisor       int
	MaxG          int64
	CodMax        int64
	Zone          string
	UpToG         int64
	Price         int64
	ExtraPer500   int64 `gorm:"column:extra_per_500g"`
	DaysMin       int
	DaysMax       int
}

// tariff is the rows in force today, carrier by carrier and step by step.
type tariff []rate

// fee finds the price of a weight in a zone: the first step that holds it, or the last step and its extra for each
// started 500 g above. It is false for a weight or zone the carrier does not serve.
func (t tariff) fee(carrier, zone string, g int64) (rate, money.VND, bool) {
	var last rate
	for _, r := range t {
		if r.CarrierCode != carrier || r.Zone != zone || g > r.MaxG {
			continue
		}
		if g <= r.UpToG {
			return r, money.VND(r.Price), true
		}
		if r.UpToG > last.UpToG {
			last = r
		}
	}
	if last.UpToG == 0 || last.ExtraPer500 == 0 {
		return rate{}, 0, false
	}
	steps := (g - last.UpToG + stepG - 1) / stepG
	return last, money.VND(last.Price + steps*last.ExtraPer500), true
}

// carriers lists each carrier once, in the order of the tariff.
func (t tariff) carriers() []rate {
	var out []rate
	for _, r := range t {
		if !slices.ContainsFunc(out, func(o rate) bool { return o.CarrierCode == r.CarrierCode }) {
			out = append(out, r)
		}
	}
	return out
}

// codMax is the most cash that every carrier of the tariff collects.
func (t tariff) codMax() money.VND {
	var least money.VND
	for i, r := range t {
		if m := money.VND(r.CodMax); i == 0 || m < least {
			least = m
		}
	}
	return least
}

// ways lists how a seller's lines may travel: the carriers, cheapest first, then the sales points of the buyer's and of
// the seller's province. The seller brings goods to a point of the own province for nothing. To a point of the buyer's
// province they go by carrier, at its fee for that distance; goods that no carrier takes do not get there.
func ways(q SellerQuote, t tariff, from, to geo.Province, points []showroom.Showroom) []Option {
	var out []Option
	if !slices.ContainsFunc(q.Lines, func(l QuoteLine) bool { return l.Rules.NoParcel }) {
		out = byCarrier(q, t, from, to)
	}
	parcels := out
	for _, p := range points {
		if p.ProvinceCode != to.Code || p.ProvinceCode == from.Code || len(parcels) == 0 {
			continue
		}
		o := parcels[0]
		o.Choice, o.Showroom, o.CarrierCode, o.CarrierName, o.CarrierNameEN = Choice{ByPickup, p.ID}, p, "", "", ""
		out = append(out, o)
	}
	near, _, _ := t.fee(firstCarrier(t), "province", 1)
	for _, p := range points {
		if p.ProvinceCode == from.Code {
			out = append(out, Option{Choice: Choice{ByPickup, p.ID}, Showroom: p, Known: true, DaysMin: near.DaysMin, DaysMax: near.DaysMax})
		}
	}
	return out
}

func byCarrier(q SellerQuote, t tariff, from, to geo.Province) []Option {
	var out []Option
	for _, c := range t.carriers() {
		g := chargeableG(q.Lines, c.Divisor)
		o := Option{Choice: Choice{Kind: ByCarrier}, CarrierCode: c.CarrierCode, CarrierName: c.CarrierName, CarrierNameEN: c.CarrierNameEN, ChargeableG: int(min(g, c.MaxG))}
		if to.Code == "" && g <= c.MaxG {
			out = append(out, o)
		}
		if to.Code == "" {
			continue
		}
		r, fee, ok := t.fee(c.CarrierCode, zone(from, to), g)
		if !ok {
			continue
		}
		o.Known, o.Fee, o.DaysMin, o.DaysMax = true, fee, r.DaysMin, r.DaysMax
		out = append(out, o)
	}
	slices.SortStableFunc(out, func(a, b Option) int { return cmp.Compare(a.Fee, b.Fee) })
	if len(out) > 1 {
		out = out[:1] // the buyer chooses between parcel and pickup; the cheapest carrier takes the parcel
	}
	return out
}

func firstCarrier(t tariff) string {
	if len(t) == 0 {
		return ""
	}
	return t[0].CarrierCode
}
