package office

import (
	"time"

	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/web/kit"
)

// starSamples are the pages about confirmed certificates in each of their states.
func (o *Office) starSamples(l i18n.Locale) []kit.Sample {
	at := o.Clock.Now()
	today := clock.On(at)
	frame, map1 := o.sampleDesk(l, stars)
	record := func(from, to, revoked int) certification.Record {
		r := certification.Record{ID: 5, Code: "OCOP-7K4M-92QX", Stars: 4, DecisionNo: "2361/QĐ-UBND", DecidedYear: 2026, Level: certification.Province, Issuer: "Ủy ban nhân dân tỉnh Lào Cai",
			Regime: "QĐ 26/2026/QĐ-TTg", ValidFrom: today.AddDays(from), ValidTo: today.AddDays(to)}
		if revoked != 0 {
			on := today.AddDays(revoked)
			r.RevokedOn, r.RevokedWhy = &on, "Bao bì ghi vùng nguyên liệu khác với hồ sơ được công nhận."
		}
		return r
	}
	row := func(r certification.Record) certification.Certificate {
		return certification.Certificate{Record: r, Producers: "Hợp tác xã nông nghiệp hữu cơ Séng Cù Mường Vi – Bản Xèo", Names: "Gạo Séng Cù Mường Vi, Gạo nếp nương Bát Xát", ProvinceCode: "15"}
	}
	list := func(state string, f certification.CertificateFilter, next string, rows ...certification.Certificate) kit.Sample {
		return kit.Sample{Page: "office/stars", State: state, Model: starList(frame, f, rows, next, map1, today)}
	}
	one := func(state string, d certification.CertificateDetail, faults ...*apperr.Error) kit.Sample {
		d.Products = []certification.ProofProduct{{ID: 1, Slug: "gao-seng-cu", NameVI: "Gạo Séng Cù Mường Vi", ProducerName: "Hợp tác xã nông nghiệp hữu cơ Séng Cù Mường Vi – Bản Xèo"}}
		m := starOne(frame, d, today, "")
		m.Open = len(faults) > 0
		m.Explain(faults)
		return kit.Sample{Page: "office/star", State: state, Model: m}
	}
	valid := record(-100, 900, 0)
	counts := certification.CertificateDetail{Record: valid, Whole: true, RequestID: 41, Entered: certification.Signed{By: "Giàng A Páo", At: at.Add(-99 * 24 * time.Hour)},
		Confirmed: certification.Signed{By: "Vàng Thị Mai", At: at.Add(-98 * 24 * time.Hour)}, Others: []certification.Record{record(-1200, -105, 0)}}
	imported, revoked := certification.CertificateDetail{Record: valid}, counts
	revoked.Record, revoked.Ground, revoked.RevokedNo, revoked.Revoked = record(-100, 900, -3), "differs", "318/QĐ-UBND", certification.Signed{By: "Vàng Thị Mai", At: at}
	return []kit.Sample{
		list("every state", certification.CertificateFilter{}, "", row(valid), row(record(-1000, 90, 0)), row(record(-1200, -105, 0)), row(record(-100, 900, -3)), row(record(10, 1100, 0))),
		list("filtered, goes on", certification.CertificateFilter{State: certification.StateValid, Province: "15", Stars: 4, Text: "séng cù"}, "x", row(valid)),
		list("empty", certification.CertificateFilter{}, ""),
		one("counts", counts),
		one("imported, with producers elsewhere", imported),
		one("revoked", revoked),
		one("a revocation without anything", counts, certification.Revocation{}.Check()...),
		one("revoked by another at the same moment", counts, apperr.New(apperr.Conflict, "certification.revoke.already", "date", today)),
	}
}
