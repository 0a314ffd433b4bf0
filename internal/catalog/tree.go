package catalog

import (
	"slices"

	"choocop.vn/ocop/internal/platform/clock"
)

// Tree is the official grouping, ready to be walked. It never changes once made.
type Tree struct {
	all      []Category // in the order of the decision
	byCode   map[string]Category
	bySlug   map[string]Category
	bySet    map[int]Category
	children map[string][]Category
}

func newTree(all []Category) *Tree {
	t := &Tree{all: all, byCode: map[string]Category{}, bySlug: map[string]Category{}, bySet: map[int]Category{}, children: map[string][]Category{}}
	for _, c := range all {
		t.byCode[c.Code], t.bySlug[c.Slug] = c, c
		t.children[c.ParentCode] = append(t.children[c.ParentCode], c)
		if c.SetNo > 0 {
			t.bySet[c.SetNo] = c
		}
	}
	return t
}

// All returns every category in the order of the decision.
func (t *Tree) All() []Category { return slices.Clone(t.all) }

// Roots returns the six sectors (ngành).
func (t *Tree) Roots() []Category { return slices.Clone(t.children[""]) }

// Children returns what lies directly below a category.
func (t *Tree) Children(code string) []Category { return slices.Clone(t.children[code]) }

// ByCode finds a category.
func (t *Tree) ByCode(code string) (Category, bool) { c, ok := t.byCode[code]; return c, ok }

// BySlug finds the category of a page address.
func (t *Tree) BySlug(slug string) (Category, bool) { c, ok := t.bySlug[slug]; return c, ok }

// BySet finds the leaf of a criteria set, 1 to 26.
func (t *Tree) BySet(setNo int) (Category, bool) { c, ok := t.bySet[setNo]; return c, ok }

// Path returns the way down to a category, the sector first and itself last; nil for an unknown code.
func (t *Tree) Path(code string) []Category {
	var path []Category
	for c, ok := t.byCode[code]; ok; c, ok = t.byCode[c.ParentCode] {
		path = append(path, c)
	}
	slices.Reverse(path)
	return path
}

// Below returns the code itself and the codes of everything under it, for filters.
func (t *Tree) Below(code string) []string {
	codes := []string{code}
	for _, c := range t.children[code] {
		codes = append(codes, t.Below(c.Code)...)
	}
	return codes
}

type ruleRow struct {
	SetNo         int
	Rule          string
	EffectiveFrom clock.Date
	EffectiveTo   clock.Date
	SuspendedBy   string
}

func rulesOn(law []ruleRow, on clock.Date) map[int]Rules {
	out := map[int]Rules{}
	for _, r := range law {
		if r.SuspendedBy != "" || on.Before(r.EffectiveFrom) || !r.EffectiveTo.IsZero() && on.After(r.EffectiveTo) {
			continue
		}
		rules := out[r.SetNo]
		switch r.Rule {
		case "adults_only":
			rules.AdultsOnly = true
		case "no_cod":
			rules.NoCOD = true
		case "contact_only":
			rules.ContactOnly = true
		case "no_parcel":
			rules.NoParcel = true
		case "not_a_medicine":
			rules.NotAMedicine = true
		}
		out[r.SetNo] = rules
	}
	return out
}
