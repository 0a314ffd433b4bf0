package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/producer"
)

// batch is how many rows one transaction loads. A killed run leaves whole batches, and the next run goes on from there.
const batch = 500

// errRehearsed ends the transaction of a dry run.
var errRehearsed = errors.New("intake: dry run")

// Products loads a list of products. The error is for a file that cannot be read at all (apperr, field "file") or a fault;
// what is wrong with single rows or the heading stands in the report, and good rows are loaded all the same.
func (s *Service) Products(ctx context.Context, r io.Reader, format Format, o Options) (Report, error) {
	file, err := readFile(r, format)
	if err != nil {
		return Report{}, err
	}
	if o.Actor == "" {
		o.Actor = "import"
	}
	rows, report, err := s.check(ctx, file)
	if err != nil {
		return Report{}, err
	}
	l := loading{Service: s, o: o, report: &report, rows: rows, provincial: provincial(rows), units: map[string]geo.Match{}}
	l.prepare(ctx)
	if err := l.run(ctx); err != nil {
		return Report{}, fmt.Errorf("intake: %w", err)
	}
	slices.SortStableFunc(report.Bad, func(a, b Problem) int { return a.Line - b.Line })
	return report, nil
}

// check reads every line and returns the good rows.
func (s *Service) check(ctx context.Context, file sheet) ([]row, Report, error) {
	tree, err := s.catalog.Categories(ctx)
	if err != nil {
		return nil, Report{}, err
	}
	at, bad, notes := columns(file)
	report := Report{Rows: len(file.lines) + len(file.bad), Bad: slices.Concat(bad, file.bad), Notes: notes}
	if len(bad) > 0 { // without the heading no row means anything
		return nil, report, nil
	}
	provinces := map[string]geo.Province{}
	rd := &reader{at: at, width: len(file.heading), tree: tree, today: clock.Today(s.clock), seen: map[string]int{}, gtins: map[string]int{},
		province: func(name string) (geo.Province, error) {
			if p, ok := provinces[name]; ok {
				return p, nil
			}
			p, err := s.geo.MatchProvince(ctx, name)
			if err == nil {
				provinces[name] = p
			}
			return p, err
		}}
	var rows []row
	for _, l := range file.lines {
		if r, ok := rd.read(l); ok {
			rows = append(rows, r)
		}
	}
	report.Bad = append(report.Bad, rd.bad...)
	return rows, report, nil
}

// loading is one run.
type loading struct {
	*Service
	o          Options
	report     *Report
	rows       []row
	provincial map[string]bool
	units      map[string]geo.Match // former provinces by the name in the list
	makers     map[string]producer.Entry
}

// prepare asks once for what many rows share.
func (l *loading) prepare(ctx context.Context) {
	l.makers = map[string]producer.Entry{}
	for _, r := range l.rows {
		if r.oldProvince != "" {
			if _, asked := l.units[r.oldProvince]; !asked {
				m, err := l.geo.Resolve(ctx, r.oldProvince)
				if err == nil && (m.Level == geo.LevelProvince || m.Level == geo.LevelFormerProvince) {
					l.units[r.oldProvince] = m
				} else {
					l.units[r.oldProvince] = geo.Match{}
				}
			}
		}
		l.meet(r)
	}
}

func (l *loading) unit(name string) (geo.Match, bool) {
	m := l.units[name]
	return m, m.Name != ""
}

// meet notes the producer of a row. A list names one maker in many rows, some with more and some with less: the first
// that says something counts, so that running the list again changes nothing.
func (l *loading) meet(r row) {
	key := r.makerKey()
	e, known := l.makers[key]
	if !known {
		e = producer.Entry{Key: key, Name: r.producer, NameKnown: true, ProvinceCode: r.province.Code, IsDemo: l.o.Demo}
		if r.producer == "" {
			args := map[string]any{"province": r.province.Name}
			e.NameKnown = false
			e.Name = i18n.T(i18n.VI, "intake.producer.unknown", args)
			args["province"] = r.province.NameEN
			e.NameEN = i18n.T(i18n.EN, "intake.producer.unknown", args)
		}
	}
	if e.NameKnown {
		e.Kind = first(e.Kind, r.kind)
		e.PlaceText = first(e.PlaceText, r.place)
		e.OldProvince = first(e.OldProvince, r.oldProvince)
	}
	l.makers[key] = e
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// makerKey is one per name and province; without a name one per province.
func (r row) makerKey() string { return r.province.Code + "/" + strings.ToLower(r.producer) }

func (l *loading) run(ctx context.Context) error {
	total := len(l.rows)
	done := 0
	told := func(n int) {
		done += n
		if l.o.Progress != nil {
			l.o.Progress(done, total)
		}
	}
	if !l.o.DryRun {
		for part := range slices.Chunk(l.rows, batch) {
			if err := l.commit(ctx, part); err != nil {
				return err
			}
			told(len(part))
		}
		return nil
	}
	// A dry run loads everything as the real one would, in one transaction that is undone.
	kept := *l.report
	err := l.db.InTx(ctx, func(tx db.Tx) error {
		done = 0
		*l.report = kept
		if err := lock(ctx, tx); err != nil {
			return err
		}
		for part := range slices.Chunk(l.rows, batch) {
			if err := l.load(ctx, tx, part, l.report); err != nil {
				return err
			}
			told(len(part))
		}
		return errRehearsed
	})
	if errors.Is(err, errRehearsed) {
		return nil
	}
	return err
}

// commit loads one part in its own transaction; the counts are taken over only when it stands.
func (l *loading) commit(ctx context.Context, part []row) error {
	var counted Report
	err := l.db.InTx(ctx, func(tx db.Tx) error {
		counted = *l.report
		counted.Bad = slices.Clone(l.report.Bad)
		if err := lock(ctx, tx); err != nil {
			return err
		}
		return l.load(ctx, tx, part, &counted)
	})
	if err == nil {
		*l.report = counted
	}
	return err
}

// load enters a part: producers, products, certificates, index.
func (l *loading) load(ctx context.Context, tx db.Tx, part []row, report *Report) error {
	makers, err := l.producers.Admit(ctx, tx, l.makersOf(part))
	if err != nil {
		return err
	}
	entries := make([]catalog.Entry, len(part))
	for i, r := range part {
		entries[i] = l.entry(r, makers[r.makerKey()].ID)
	}
	part, entries, err = l.sift(ctx, tx, part, entries, report)
	if err != nil {
		return err
	}
	loaded, err := l.catalog.Load(ctx, tx, entries, l.o.Actor)
	if err != nil {
		return err
	}
	var papers []certification.Entry
	paperOf := map[string]string{}
	for _, r := range part {
		if r.earnsRecord() {
			e := r.certificate(loaded[r.id].ProductID, l.provincial, l.unit)
			papers, paperOf[r.id] = append(papers, e), e.Key
		}
	}
	recorded, err := l.certificates.Enter(ctx, tx, papers)
	if err != nil {
		return err
	}
	var touched []int64
	for _, r := range part {
		p, paper, maker := loaded[r.id], recorded[paperOf[r.id]], makers[r.makerKey()]
		switch {
		case p.Added:
			report.Added++
		case p.Changed || paper.Added || paper.Changed || maker.Changed:
			report.Changed++
		default:
			report.Unchanged++
			continue
		}
		touched = append(touched, p.ProductID)
	}
	if l.index == nil || len(touched) == 0 {
		return nil
	}
	return l.index.Refresh(ctx, tx, touched)
}

func (l *loading) makersOf(part []row) []producer.Entry {
	var out []producer.Entry
	met := map[string]bool{}
	for _, r := range part {
		if key := r.makerKey(); !met[key] {
			met[key] = true
			out = append(out, l.makers[key])
		}
	}
	return out
}

func (l *loading) entry(r row, producerID int64) catalog.Entry {
	e := catalog.Entry{Key: r.id, SKU: r.id, GTIN: r.gtin, ProducerID: producerID, CategoryCode: r.category, Eligibility: catalog.Speciality,
		ProvinceCode: r.province.Code, PlaceText: r.place, OldProvince: r.oldProvince, SourceURL: r.sourceURL, NameVI: r.nameVI,
		NameEN: r.nameEN, SummaryVI: r.summaryVI, SummaryEN: r.summaryEN, Unit: r.unit, WeightG: r.weightG, Price: r.price,
		PriceSource: r.priceSource, IsDemo: l.o.Demo}
	if r.earnsRecord() {
		e.Eligibility = catalog.OCOP
	}
	return e
}

// sift takes out the rows whose code or barcode another product has already.
func (l *loading) sift(ctx context.Context, tx db.Tx, part []row, entries []catalog.Entry, report *Report) ([]row, []catalog.Entry, error) {
	found, err := l.catalog.Clashes(ctx, tx, entries)
	if err != nil || len(found) == 0 {
		return part, entries, err
	}
	var goodRows []row
	var good []catalog.Entry
	for i, r := range part {
		clash, bad := found[r.id]
		if !bad {
			goodRows, good = append(goodRows, r), append(good, entries[i])
			continue
		}
		p := Problem{Line: r.line, Column: "id", Value: r.id, Key: "intake.id.taken"}
		if clash.Column == "gtin" {
			p.Column, p.Value, p.Key, p.Args = "gtin", r.gtin, "intake.gtin.taken", map[string]any{"sku": clash.Other}
		}
		report.Bad = append(report.Bad, p)
	}
	return goodRows, good, nil
}

// Text writes the problem as one line of a terminal: "dòng 12, cột price_vnd: … (“abc”)".
func (p Problem) Text(l i18n.Locale) string {
	args := map[string]any{"line": strconv.Itoa(p.Line), "column": p.Column, "sentence": p.Sentence(l), "value": p.Value}
	switch {
	case p.Column == "":
		return i18n.T(l, "intake.problem.row", args)
	case p.Value == "":
		return i18n.T(l, "intake.problem.column", args)
	}
	return i18n.T(l, "intake.problem.value", args)
}
