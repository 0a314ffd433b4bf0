package geo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"choocop.vn/ocop/internal/platform/db"
)

//go:embed data/*.csv
var files embed.FS

// dataset is everything the tables hold.
type dataset struct {
	provinces       []Province
	communes        []Commune
	formerProvinces []FormerProvince
	formerDistricts []FormerDistrict
}

// Checksum identifies the units inside this program; it changes when one of the files does.
var Checksum = sync.OnceValue(func() string {
	sum := sha256.New()
	for _, name := range []string{"province", "commune", "former_province", "former_district"} {
		b, err := files.ReadFile("data/" + name + ".csv")
		if err != nil {
			panic(err) // the files are part of the program
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(b))
		sum.Write(b)
	}
	return hex.EncodeToString(sum.Sum(nil))
})

// Load brings the tables up to the units inside this program. Where they are already loaded it only compares a checksum.
// It never deletes: addresses and certificates point at the rows. Two programs loading at once wait for each other.
func Load(ctx context.Context, tx db.Tx) error {
	sum := Checksum()
	done, err := isLoaded(ctx, tx, sum)
	if err != nil {
		return fmt.Errorf("geo: load: %w", err)
	}
	if done {
		return nil
	}
	set, err := parse()
	if err != nil {
		return fmt.Errorf("geo: load: %w", err)
	}
	return write(ctx, tx, set, sum)
}

// parse reads the files inside the program.
func parse() (dataset, error) {
	var set dataset
	err := each("province", func(r row) {
		set.provinces = append(set.provinces, Province{
			Code: r.text("code"), Name: r.text("name"), NameEN: r.text("name_en"), Slug: r.text("slug"),
			Kind: r.text("kind"), KindBefore: r.text("kind_before"), KindBasis: r.text("kind_basis"), KindFrom: r.day("kind_from"),
			Communes:   r.number("communes"),
			LegalBasis: r.text("legal_basis"), EffectiveFrom: r.day("effective_from"),
		})
	})
	if err != nil {
		return dataset{}, err
	}
	err = each("commune", func(r row) {
		set.communes = append(set.communes, Commune{
			Code: r.text("code"), ProvinceCode: r.text("province_code"), Name: r.text("name"), NameAlt: r.text("name_alt"),
			Kind: r.text("kind"), KindBefore: r.text("kind_before"), KindBasis: r.text("kind_basis"), KindFrom: r.day("kind_from"),
			LegalBasis: r.text("legal_basis"), EffectiveFrom: r.day("effective_from"),
		})
	})
	if err != nil {
		return dataset{}, err
	}
	err = each("former_province", func(r row) {
		set.formerProvinces = append(set.formerProvinces, FormerProvince{
			Code: r.text("code"), ProvinceCode: r.text("province_code"), Name: r.text("name"), Kind: r.text("kind"),
			Change: r.text("change"), Aliases: list(r.text("aliases")),
		})
	})
	if err != nil {
		return dataset{}, err
	}
	err = each("former_district", func(r row) {
		set.formerDistricts = append(set.formerDistricts, FormerDistrict{
			Code: r.text("code"), FormerProvinceCode: r.text("former_province_code"), ProvinceCode: r.text("province_code"),
			Name: r.text("name"), Kind: r.text("kind"), FullName: r.text("full_name"),
		})
	})
	return set, err
}

// list splits "a|b"; an empty text is an empty list, not one empty name.
func list(s string) []string {
	if s == "" {
		return []string{}
	}
	return strings.Split(s, "|")
}

// row is one line of a file, its cells by column name. The first fault met is kept in err.
type row struct {
	column map[string]int
	cells  []string
	err    *error
}

func (r row) text(column string) string {
	i, ok := r.column[column]
	if !ok {
		r.fail(fmt.Errorf("no column %q", column))
		return ""
	}
	return r.cells[i]
}

func (r row) number(column string) int {
	n, err := strconv.Atoi(r.text(column))
	r.fail(err)
	return n
}

func (r row) day(column string) time.Time {
	t, err := time.Parse(time.DateOnly, r.text(column))
	r.fail(err)
	return t
}

func (r row) fail(err error) {
	if *r.err == nil {
		*r.err = err
	}
}

func each(name string, take func(row)) error {
	b, err := files.ReadFile("data/" + name + ".csv")
	if err != nil {
		return err
	}
	lines, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		return fmt.Errorf("%s.csv: %w", name, err)
	}
	column := make(map[string]int)
	for i, title := range lines[0] {
		column[title] = i
	}
	for i, cells := range lines[1:] {
		var fault error
		if take(row{column, cells, &fault}); fault != nil {
			return fmt.Errorf("%s.csv line %d: %w", name, i+2, fault)
		}
	}
	return nil
}
