package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/intake"
	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/media"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/producer"
	"choocop.vn/ocop/internal/showroom"
)

//go:embed data/ocop_products.csv
var products []byte

// edition grows whenever what a seed makes of the list changes, so that markets of an older one are brought up to date.
const edition = "1"

// Actor is who the demo market's prices and stock are recorded under.
const Actor = "demo"

// Services are what the market is loaded through: the same verbs that people use.
type Services struct {
	DB        *db.DB
	Intake    *intake.Service
	Producers *producer.Service
	Catalog   *catalog.Service
	Media     *media.Service // nil leaves the pictures for a later run
	Inventory *inventory.Service
	Showrooms *showroom.Service
	// Accounts opens one account per role; called on every run, so it must be cheap and change nothing the second time.
	// It may be nil.
	Accounts func(ctx context.Context) error
}

// Stages of loading, as told to the progress function.
const (
	StageProducts  = "products"
	StagePictures  = "pictures"
	StageBank      = "bank"
	StageStock     = "stock"
	StageShowrooms = "showrooms"
	StageAccounts  = "accounts"
)

// Seed loads the demo market: the 471 real products with drawn pictures, test bank accounts, stock and sample sales
// points. It reports whether it had anything to do. A market that is complete is left alone after one query; one that was
// cut short is finished. It never takes back what people did in it.
func Seed(ctx context.Context, s Services, progress func(stage string, done, total int)) (bool, error) {
	if progress == nil {
		progress = func(string, int, int) {}
	}
	if s.Accounts != nil {
		if err := s.Accounts(ctx); err != nil {
			return false, fmt.Errorf("demo: accounts: %w", err)
		}
		progress(StageAccounts, 1, 1)
	}
	complete, err := isComplete(ctx, s.DB, version())
	if err != nil || complete {
		return false, err
	}
	for _, step := range []func(context.Context, Services, func(string, int, int)) error{
		loadProducts, openBankAccounts, stock, openShowrooms, illustrate,
	} {
		if err := step(ctx, s, progress); err != nil {
			return true, fmt.Errorf("demo: %w", err)
		}
	}
	if s.Media == nil {
		return true, nil
	}
	return true, markComplete(ctx, s.DB, version())
}

func version() string {
	sum := sha256.Sum256(products)
	return edition + "-" + hex.EncodeToString(sum[:8])
}

func loadProducts(ctx context.Context, s Services, progress func(string, int, int)) error {
	report, err := s.Intake.Products(ctx, bytes.NewReader(products), intake.CSV, intake.Options{Actor: Actor, Demo: true,
		Progress: func(done, total int) { progress(StageProducts, done, total) }})
	if err != nil {
		return err
	}
	if len(report.Bad) > 0 { // the list is compiled in: a bad row is our own fault
		return fmt.Errorf("line %d, column %s: %s", report.Bad[0].Line, report.Bad[0].Column, report.Bad[0].Key)
	}
	return nil
}

// openBankAccounts gives each demo producer without an account one that is marked as a test and belongs to nobody.
func openBankAccounts(ctx context.Context, s Services, progress func(string, int, int)) error {
	all, err := s.Producers.Banks(ctx)
	if err != nil {
		return err
	}
	banks := slices.DeleteFunc(all, func(b producer.Bank) bool { return !b.CanTransfer })
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		ids, err := demoProducers(ctx, tx)
		if err != nil {
			return err
		}
		has, err := s.Producers.BankAccounts(ctx, tx.DB, keys(ids))
		if err != nil {
			return err
		}
		var fresh []producer.BankAccount
		for _, p := range ids {
			if _, ok := has[p.ID]; ok {
				continue
			}
			n := number(p.Slug)
			fresh = append(fresh, producer.BankAccount{ProducerID: p.ID, BankBIN: banks[n%uint64(len(banks))].BIN,
				AccountNo: fmt.Sprintf("9999%09d", n%1_000_000_000), Holder: "TAI KHOAN THU NGHIEM", IsTest: true})
		}
		progress(StageBank, len(ids), len(ids))
		return s.Producers.SetBankAccounts(ctx, tx, fresh)
	})
}

func keys(ps []maker) []int64 {
	ids := make([]int64, len(ps))
	for i, p := range ps {
		ids[i] = p.ID
	}
	return ids
}

// number is the same for the same text, on every machine.
func number(seed string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(seed))
	return h.Sum64()
}

// stock receives a first delivery of every variant, once: a key keeps a second run from delivering again.
func stock(ctx context.Context, s Services, progress func(string, int, int)) error {
	goods, err := demoGoods(ctx, s.DB)
	if err != nil {
		return err
	}
	done := 0
	for part := range slices.Chunk(goods, 100) {
		err := s.DB.InTx(ctx, func(tx db.Tx) error {
			places := map[int64]bool{}
			var in []inventory.Receipt
			for _, g := range part {
				if g.SetNo == 26 { // a service has no stock
					continue
				}
				if !places[g.ProducerID] {
					if _, err := s.Inventory.EnsureProducerLocation(ctx, tx, g.ProducerID); err != nil {
						return err
					}
					places[g.ProducerID] = true
				}
				if n := quantity(g.SKU); n > 0 {
					in = append(in, inventory.Receipt{VariantID: g.VariantID, Quantity: n, Actor: Actor, Cause: "demo", RequestKey: "demo:" + g.SKU})
				}
			}
			return s.Inventory.ReceiveAll(ctx, tx, in)
		})
		if err != nil {
			return err
		}
		done += len(part)
		progress(StageStock, done, len(goods))
	}
	return nil
}

// quantity leaves some goods sold out and some nearly so, as a market is.
func quantity(sku string) int64 {
	n := number("stock " + sku)
	switch share := n % 100; {
	case share < 5:
		return 0
	case share < 17:
		return int64(1 + n/100%5)
	}
	return int64(20 + n/100%181)
}

// illustrate gives each product without a picture its drawing. Products of a set share drawings, so each is derived once.
func illustrate(ctx context.Context, s Services, progress func(string, int, int)) error {
	if s.Media == nil {
		return nil
	}
	goods, err := undrawn(ctx, s.DB)
	if err != nil {
		return err
	}
	byDrawing := map[string][]goodsRow{}
	var order []string
	for _, g := range goods {
		svg := string(Drawing(drawingSet(g), g.NameVI))
		if byDrawing[svg] == nil {
			order = append(order, svg)
		}
		byDrawing[svg] = append(byDrawing[svg], g)
	}
	var mu sync.Mutex
	kept := 0
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(2)
	for _, svg := range order {
		work.Go(func() error {
			asset, err := s.Media.KeepDrawing(ctx, []byte(svg))
			if err != nil {
				return err
			}
			if err := show(ctx, s, byDrawing[svg], asset.ID); err != nil {
				return err
			}
			mu.Lock() // progress is not called twice at once
			defer mu.Unlock()
			kept++
			progress(StagePictures, kept, len(order))
			return nil
		})
	}
	return work.Wait()
}

func show(ctx context.Context, s Services, goods []goodsRow, asset int64) error {
	pictures := make([]catalog.Picture, len(goods))
	for i, g := range goods {
		pictures[i] = catalog.Picture{ProductID: g.ProductID, AssetID: asset, AltVI: "Hình vẽ minh hoạ: " + g.NameVI, AltEN: "Drawing: " + g.NameEN}
	}
	return s.DB.InTx(ctx, func(tx db.Tx) error { return s.Catalog.Show(ctx, tx, pictures) })
}

// drawingSet is the product's set. One oil in the list has no set on its paper; it is shown as a bottle (set 9).
func drawingSet(g goodsRow) int {
	if g.SetNo == 0 {
		return 9
	}
	return g.SetNo
}
