package seller

import (
	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/web/kit"
)

// Samples are the pages of the portal in each of their states, for the gallery.
func (s *Seller) Samples(l i18n.Locale) ([]kit.Sample, error) {
	var out []kit.Sample
	for _, add := range []func(i18n.Locale) []kit.Sample{s.todaySamples, s.starSamples} {
		out = append(out, add(l)...)
	}
	return out, nil
}

// sampleFrame is the frame of a sample, for somebody who may do everything.
func (s *Seller) sampleFrame(l i18n.Locale, path, title string) Frame {
	f := Frame{Page: s.Views.SamplePage(l, path), Person: "Lý Thị Liễu", Producer: "Hợp tác xã Chè Shan tuyết Phìn Hồ"}
	f.NoIndex, f.Title = true, f.T(title)
	f.Nav = navigation(&f.Page, func(right) bool { return true })
	return f
}

func (s *Seller) todaySamples(l i18n.Locale) []kit.Sample {
	today := clock.On(s.Clock.Now())
	busy := &Today{Frame: s.sampleFrame(l, "/seller", "seller.today.title")}
	for i, t := range s.tasks() {
		busy.Tasks = append(busy.Tasks, busy.task(t, i*3+1, today.AddDays(i+1)))
	}
	gold := busy.Tasks[0]
	gold.Gold = true
	busy.Tasks = append(busy.Tasks, gold)
	idle := &Today{Frame: s.sampleFrame(l, "/seller", "seller.today.title")}
	narrow := &Today{Frame: s.sampleFrame(l, "/seller", "seller.today.title")}
	narrow.Several = true
	narrow.Nav = navigation(&narrow.Page, func(r right) bool { return r == works || r == account.ConfirmTransfer })
	choose := &Choose{Frame: s.sampleFrame(l, "/seller/choose", "seller.choose.title"), Options: []Option{
		{ID: 1, Name: busy.Producer, Current: true}, {ID: 2, Name: "Tổ hợp tác Rau rừng Hoàng Su Phì"}}}
	choose.Several = true
	return []kit.Sample{
		{Page: "seller/today", State: "work waits", Model: busy},
		{Page: "seller/today", State: "nothing to do", Model: idle},
		{Page: "seller/today", State: "several producers", Model: narrow},
		{Page: "seller/choose", State: "two producers", Model: choose},
	}
}
