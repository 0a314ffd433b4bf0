package api

import (
	"context"

	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
)

// CartID names a new cart.
type CartID struct {
	ID string `json:"id" doc:"@cart.id"`
}

// Cart is a cart as it is now.
type Cart struct {
	ID         string     `json:"id" doc:"@cart.id"`
	Lines      []CartLine `json:"lines"`
	Count      int        `json:"count" doc:"@cart.count"`
	Goods      int64      `json:"goods" doc:"@goods"`
	Currency   string     `json:"currency" enum:"VND"`
	AdultsOnly bool       `json:"adults_only" doc:"@adults_only"`
	Blocked    bool       `json:"blocked" doc:"@cart.blocked"`
}

// CartLine is one thing in a cart.
type CartLine struct {
	SKU       string  `json:"sku" example:"DUASAP01"`
	Quantity  int     `json:"quantity" doc:"@line.quantity"`
	Product   Link    `json:"product"`
	Unit      string  `json:"unit" example:"chai 500 ml"`
	Seller    string  `json:"seller" doc:"@seller"`
	Price     int64   `json:"price" doc:"@line.price"`
	PriceSeen int64   `json:"price_seen" doc:"@line.price_seen"`
	Total     int64   `json:"total"`
	Available int64   `json:"available" doc:"@line.available"`
	Problem   *string `json:"problem" enum:"gone,sold_out,short" doc:"@cart.problem"`
}

// CartParam names the cart in an address. It is exported because the framework passes over what is not.
type CartParam struct {
	ID string `path:"id" maxLength:"100" doc:"@cart.id"`
}

type cartIDOut struct {
	Location string `header:"Location" doc:"@location"`
	Body     CartID
}

type cartOut struct{ Body Cart }

func (a *API) openCart(ctx context.Context, _ *struct{}) (*cartIDOut, error) {
	id, err := a.Carts.Open(ctx)
	if err != nil {
		return nil, err
	}
	return &cartIDOut{Location: Base + "/carts/" + id, Body: CartID{id}}, nil
}

func (a *API) getCart(ctx context.Context, in *CartParam) (*cartOut, error) {
	return a.showCart(ctx, in.ID)
}

func (a *API) showCart(ctx context.Context, id string) (*cartOut, error) {
	if err := a.Carts.Know(ctx, id); err != nil {
		return nil, err
	}
	v, err := a.Carts.View(ctx, id)
	if err != nil {
		return nil, err
	}
	l := callerOf(ctx).locale
	out := &cartOut{Cart{ID: id, Lines: []CartLine{}, Count: v.Count, Goods: int64(v.Goods), Currency: currency, AdultsOnly: v.Adults, Blocked: v.Blocked}}
	for _, seller := range v.Sellers {
		for _, line := range seller.Lines {
			out.Body.Lines = append(out.Body.Lines, cartLine(l, line))
		}
	}
	return out, nil
}

func cartLine(l i18n.Locale, line cart.Line) CartLine {
	out := CartLine{SKU: line.SKU, Quantity: line.Quantity, Product: Link{line.Slug, line.Name(l)}, Unit: line.Unit(l), Seller: line.ProducerName,
		Price: int64(line.PriceNow), PriceSeen: int64(line.PriceSeen), Total: int64(line.Total()), Available: line.Available}
	if line.Problem != cart.None {
		why := string(line.Problem)
		out.Problem = &why
	}
	return out
}

type addIn struct {
	CartParam
	Body struct {
		SKU      string `json:"sku" minLength:"1" maxLength:"60" example:"DUASAP01"`
		Quantity int    `json:"quantity" minimum:"1" maximum:"999" example:"2"`
		Adult    bool   `json:"adult,omitempty" doc:"@adult"`
	}
}

// addLine asks for the age first, as the shop's page does.
func (a *API) addLine(ctx context.Context, in *addIn) (*cartOut, error) {
	if !in.Body.Adult {
		_, gated, err := a.Store.AdultsOnly(ctx, in.Body.SKU)
		if err != nil {
			return nil, err
		}
		if gated {
			return nil, &apperr.Error{Kind: apperr.Denied, Field: "adult", Key: "api.problem.adults"}
		}
	}
	if err := a.Carts.AddTo(ctx, in.ID, in.Body.SKU, in.Body.Quantity); err != nil {
		return nil, inBody(err)
	}
	return a.showCart(ctx, in.ID)
}

// inBody makes an unknown code a fault of the body: the address is not what leads nowhere.
func inBody(err error) error {
	faults, known := apperr.As(err)
	if !known || faults[0].Key != "catalog.sku.unknown" {
		return err
	}
	return &apperr.Error{Kind: apperr.Invalid, Field: "sku", Key: faults[0].Key, Args: faults[0].Args}
}

// LineParam names a line of it.
type LineParam struct {
	CartParam
	SKU string `path:"sku" maxLength:"60" example:"DUASAP01"`
}

type setIn struct {
	LineParam
	Body struct {
		Quantity int `json:"quantity" minimum:"0" maximum:"999" doc:"@quantity_zero" example:"3"`
	}
}

func (a *API) setLine(ctx context.Context, in *setIn) (*cartOut, error) {
	if err := a.Carts.Know(ctx, in.ID); err != nil {
		return nil, err
	}
	if err := a.Carts.SetQuantity(ctx, in.ID, in.SKU, in.Body.Quantity); err != nil {
		return nil, err
	}
	return a.showCart(ctx, in.ID)
}

func (a *API) removeLine(ctx context.Context, in *LineParam) (*cartOut, error) {
	if err := a.Carts.Know(ctx, in.ID); err != nil {
		return nil, err
	}
	if err := a.Carts.Remove(ctx, in.ID, in.SKU); err != nil {
		return nil, err
	}
	return a.showCart(ctx, in.ID)
}
