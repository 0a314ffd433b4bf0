package inventory

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
)

const (
	receive    = "receive"
	adjustUp   = "adjust_up"
	adjustDown = "adjust_down"

	// maxQuantity keeps a slip of the finger out of the books.
	maxQuantity = int64(10_000_000)
	maxReason   = 500
)

// posting is a receipt or an adjustment on its way into the ledger.
type posting struct {
	sku                             string
	variant, location, owner        int64
	lot                             *int64
	kind                            string
	quantity                        int64
	cause, causeID, reason, by, key string
}

func (r Receipt) posting() (posting, error) {
	if r.Quantity <= 0 || r.Quantity > maxQuantity {
		return posting{}, apperr.Field("quantity", "inventory.quantity", "max", maxQuantity)
	}
	cause := r.Cause
	if cause == "" {
		cause = "receipt"
	}
	return posting{
		sku: r.SKU, variant: r.VariantID, location: r.LocationID, owner: r.OwnerID, lot: r.LotID,
		kind: receive, quantity: r.Quantity, cause: cause, causeID: r.CauseID, by: r.Actor, key: r.RequestKey,
	}, nil
}

func (a Adjustment) posting() (posting, error) {
	var l apperr.List
	if a.Delta == 0 || a.Delta > maxQuantity || a.Delta < -maxQuantity {
		l = append(l, apperr.Field("delta", "inventory.delta", "max", maxQuantity))
	}
	reason := strings.TrimSpace(a.Reason)
	if reason == "" || utf8.RuneCountInString(reason) > maxReason {
		l = append(l, apperr.Field("reason", "inventory.reason"))
	}
	if err := l.Err(); err != nil {
		return posting{}, err
	}
	p := posting{
		sku: a.SKU, variant: a.VariantID, location: a.LocationID, owner: a.OwnerID, lot: a.LotID,
		kind: adjustUp, quantity: a.Delta, cause: "adjustment", reason: reason, by: a.Actor, key: a.RequestKey,
	}
	if a.Delta < 0 {
		p.kind, p.quantity = adjustDown, -a.Delta
	}
	return p, nil
}

// Receive books goods in and returns the level as the receipt left it. The same request key posts once: again
// with the same content it returns the first answer, with other content Conflict inventory.key_reused. An
// unknown SKU is NotFound inventory.sku_unknown.
func (s *Service) Receive(ctx context.Context, r Receipt) (Level, error) {
	p, err := r.posting()
	if err != nil {
		return Level{}, err
	}
	return s.post(ctx, p)
}

// Adjust corrects a level and returns it as the adjustment left it; the request key works as in Receive. A level
// cannot fall below what is promised: that is Conflict inventory.below_reserved with on_hand and reserved.
func (s *Service) Adjust(ctx context.Context, a Adjustment) (Level, error) {
	p, err := a.posting()
	if err != nil {
		return Level{}, err
	}
	return s.post(ctx, p)
}

// ReceiveAll books many receipts in the caller's transaction, with a number of statements that does not
// grow with theirs. Receipts whose request key was posted before are skipped.
func (s *Service) ReceiveAll(ctx context.Context, tx db.Tx, receipts []Receipt) error {
	list := make([]posting, 0, len(receipts))
	for _, r := range receipts {
		p, err := r.posting()
		if err != nil {
			return err
		}
		list = append(list, p)
	}
	_, _, err := s.postAll(ctx, tx, list)
	return readable("receive", err)
}

func (s *Service) post(ctx context.Context, p posting) (Level, error) {
	var level Level
	var before locked
	err := s.db.InTx(ctx, func(tx db.Tx) error {
		var made []movement
		var err error
		if made, before, err = s.postAll(ctx, tx, []posting{p}); err != nil {
			return err
		}
		level, err = levelAfter(ctx, tx, made[0])
		return err
	})
	if db.Breaks(err, "stock_level_covers") {
		err = apperr.New(apperr.Conflict, "inventory.below_reserved", "on_hand", before.OnHand, "reserved", before.Reserved)
	}
	return level, readable(p.kind, err)
}

// readable names the verb in a fault and turns the broken constraints that a person can cause into sentences.
func readable(verb string, err error) error {
	switch _, ok := apperr.As(err); {
	case err == nil || ok:
		return err
	case db.Breaks(err, "stock_movement_request_key_key"):
		// Postings of one level wait for each other, so this key was used for another level.
		return apperr.New(apperr.Conflict, "inventory.key_reused")
	case db.Breaks(err, "stock_level_location_id_fkey"), db.Breaks(err, "stock_level_owner_id_fkey"), db.Breaks(err, "stock_level_lot_id_fkey"):
		return apperr.New(apperr.NotFound, "inventory.place_unknown")
	}
	return fmt.Errorf("inventory: %s: %w", verb, err)
}

// postAll appends the postings whose key is new. It returns each posting's movement, old or new, and the
// level of the first one as it was before.
func (s *Service) postAll(ctx context.Context, tx db.Tx, list []posting) ([]movement, locked, error) {
	if len(list) == 0 {
		return nil, locked{}, nil
	}
	if err := s.complete(ctx, tx, list); err != nil {
		return nil, locked{}, err
	}
	keys := make([]key, len(list))
	for i, p := range list {
		keys[i] = key{p.variant, p.location, p.owner, orNone(p.lot)}
	}
	if err := ensureLevels(ctx, tx, keys); err != nil {
		return nil, locked{}, err
	}
	levels, err := lockKeys(ctx, tx, keys)
	if err != nil {
		return nil, locked{}, err
	}
	now := s.clock.Now()
	// What nobody is promised any more must not stand in the way of a correction.
	if first := levels[keys[0]]; list[0].kind == adjustDown {
		one := []locked{first}
		if err := expire(ctx, tx, one, 0, now); err != nil {
			return nil, locked{}, err
		}
		levels[keys[0]] = one[0]
	}
	seen, err := byRequestKeys(ctx, tx, requestKeys(list))
	if err != nil {
		return nil, locked{}, err
	}
	out := make([]movement, len(list))
	var fresh []movement
	var at []int
	for i, p := range list {
		level := levels[keys[i]]
		m := p.movement(level.ID)
		m.At = now
		if old, ok := seen[p.key]; ok && p.key != "" {
			if !old.same(m) {
				return nil, locked{}, apperr.New(apperr.Conflict, "inventory.key_reused")
			}
			out[i] = old
			continue
		}
		if !level.Open && m.Kind != adjustDown {
			return nil, locked{}, apperr.New(apperr.Conflict, "inventory.location_closed")
		}
		fresh, at = append(fresh, m), append(at, i)
	}
	if len(fresh) > 0 {
		if err := post(ctx, tx, fresh); err != nil {
			return nil, levels[keys[0]], err
		}
	}
	for i, m := range fresh {
		out[at[i]] = m
	}
	return out, levels[keys[0]], nil
}

func (p posting) movement(levelID int64) movement {
	m := movement{LevelID: levelID, Kind: p.kind, Quantity: p.quantity, Cause: p.cause, CauseID: p.causeID, Reason: p.reason, Actor: p.by}
	if p.key != "" {
		m.RequestKey = &p.key
	}
	return m
}

// same compares what was asked for, not who asked or when.
func (m movement) same(o movement) bool {
	return m.LevelID == o.LevelID && m.Kind == o.Kind && m.Quantity == o.Quantity &&
		m.Cause == o.Cause && m.CauseID == o.CauseID && m.Reason == o.Reason
}

func requestKeys(list []posting) []string {
	var keys []string
	for _, p := range list {
		if p.key != "" {
			keys = append(keys, p.key)
		}
	}
	return keys
}

// complete fills in the variant, its producer's own place and that producer as owner where they were left out.
func (s *Service) complete(ctx context.Context, tx db.Tx, list []posting) error {
	var ids bigints
	var skus []string
	for _, p := range list {
		if p.variant != 0 {
			ids = append(ids, p.variant)
		} else {
			skus = append(skus, p.sku)
		}
	}
	found, err := variantPlaces(ctx, tx.DB, ids, skus)
	if err != nil {
		return err
	}
	byID, bySKU := map[int64]*variantPlace{}, map[string]*variantPlace{}
	for i := range found {
		byID[found[i].ID], bySKU[found[i].SKU] = &found[i], &found[i]
	}
	own := map[int64]int64{} // places made just now
	for i := range list {
		p := &list[i]
		v := byID[p.variant]
		if p.variant == 0 {
			v = bySKU[p.sku]
		}
		if v == nil {
			return apperr.New(apperr.NotFound, "inventory.sku_unknown", "sku", p.sku)
		}
		if p.location == 0 && v.LocationID == 0 {
			if own[v.ProducerID] == 0 {
				if own[v.ProducerID], err = s.EnsureProducerLocation(ctx, tx, v.ProducerID); err != nil {
					return err
				}
			}
			v.LocationID = own[v.ProducerID]
		}
		p.variant = v.ID
		if p.location == 0 {
			p.location = v.LocationID
		}
		if p.owner == 0 {
			p.owner = v.ProducerID
		}
	}
	return nil
}

// EnsureProducerLocation returns the own place of a producer, which it makes if need be.
func (s *Service) EnsureProducerLocation(ctx context.Context, tx db.Tx, producerID int64) (int64, error) {
	id, err := ensureProducerLocation(ctx, tx, producerID)
	if err != nil {
		return 0, fmt.Errorf("inventory: place of producer %d: %w", producerID, err)
	}
	if id == 0 {
		return 0, apperr.New(apperr.NotFound, "inventory.place_unknown")
	}
	return id, nil
}

// Tidy closes reservations past their time and returns on how many levels. Nothing waits for it: whoever
// locks a level closes them too.
func (s *Service) Tidy(ctx context.Context) (int, error) {
	const batch = 200
	total := 0
	for {
		n := 0
		err := s.db.InTx(ctx, func(tx db.Tx) error {
			now := s.clock.Now()
			levels, err := expiredLevels(ctx, tx, now, batch)
			if err != nil {
				return err
			}
			freed, err := closeExpired(ctx, tx, levels, 0, now)
			n = len(freed)
			return err
		})
		if err != nil {
			return total, fmt.Errorf("inventory: tidy: %w", err)
		}
		total += n
		if n < batch {
			return total, nil
		}
	}
}
