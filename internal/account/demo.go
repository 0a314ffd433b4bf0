package account

import (
	"context"
	"errors"
	"strconv"

	"choocop.vn/ocop/internal/platform/apperr"
)

// DemoPlaces says to which records of the demo market its accounts belong. Without a producer or sales
// point the account of that role is left out.
type DemoPlaces struct {
	ProvinceCode string
	ProducerID   int64
	ShowroomID   int64
}

// DemoAccounts lists one account per role of the demo market, all with the same password. The addresses
// end in .example, which can never receive mail (RFC 2606).
func DemoAccounts(password string, at DemoPlaces) []Registration {
	list := []Registration{{Email: "admin@choocop.example", Name: "Quản trị (thử)", Roles: []Role{{Name: Admin}}}}
	officer := Role{Name: Officer}
	if at.ProvinceCode != "" {
		officer = Role{Officer, OfProvince, at.ProvinceCode}
	}
	list = append(list, Registration{Email: "canbo@choocop.example", Name: "Cán bộ chương trình (thử)", Roles: []Role{officer}})
	if at.ProducerID != 0 {
		list = append(list, Registration{Email: "chuthe@choocop.example", Name: "Chủ thể (thử)", Roles: []Role{{Producer, OfProducer, strconv.FormatInt(at.ProducerID, 10)}}})
	}
	if at.ShowroomID != 0 {
		list = append(list, Registration{Email: "thungan@choocop.example", Name: "Thu ngân (thử)", Roles: []Role{{Cashier, OfShowroom, strconv.FormatInt(at.ShowroomID, 10)}}})
	}
	for i := range list {
		list[i].Password, list[i].Demo, list[i].Actor = password, true, "demo"
	}
	return list
}

// RegisterDemo makes the demo accounts that are not there yet.
func (s *Service) RegisterDemo(ctx context.Context, password string, at DemoPlaces) error {
	for _, n := range DemoAccounts(password, at) {
		_, err := s.ByEmail(ctx, n.Email)
		if errors.Is(err, apperr.New(apperr.NotFound, "account.not_found")) {
			_, err = s.Register(ctx, n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
