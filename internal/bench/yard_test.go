//go:build bench

package bench

import (
	"bytes"
	"fmt"
	"html/template"
	"math/rand/v2"
	"net/http"
	"strings"

	"choocop.vn/ocop/internal/platform/db"
)

// The yardsticks stand on the same server and database as the market, as a programmer in a hurry would write them: no
// language, no rights, no headers, no limits, no promises.

// yardTables hold the least that an order needs.
var yardTables = []string{
	`CREATE TABLE y_group (id bigserial PRIMARY KEY, code text UNIQUE, key text UNIQUE, name text, phone text, total bigint, at timestamptz)`,
	`CREATE TABLE y_payment (id bigserial PRIMARY KEY, reference text UNIQUE, method text, state text, amount bigint)`,
	`CREATE TABLE y_order (id bigserial PRIMARY KEY, group_id bigint REFERENCES y_group, payment_id bigint REFERENCES y_payment, code text UNIQUE, state text, total bigint)`,
	`CREATE TABLE y_line (id bigserial PRIMARY KEY, order_id bigint REFERENCES y_order, variant_id bigint REFERENCES variant, quantity int, price bigint, UNIQUE (order_id, variant_id))`,
	`CREATE TABLE y_level (id bigint PRIMARY KEY, on_hand bigint, reserved bigint, CHECK (on_hand >= reserved))`,
	`CREATE TABLE y_reservation (id bigserial PRIMARY KEY, level_id bigint REFERENCES y_level, order_id bigint REFERENCES y_order, quantity bigint)`,
	`INSERT INTO y_level SELECT id, 1000000000, 0 FROM variant`,
}

var bareList = template.Must(template.New("").Parse(`<!doctype html><html lang="vi"><head><meta charset="utf-8"><title>Chợ</title></head><body><ul>
{{range .}}<li class="ware"><a href="/san-pham/{{.Slug}}"><img src="/anh/{{.Slug}}-320.webp" width="320" height="320" alt="{{.Name}}" loading="lazy">
<h3>{{.Name}}</h3></a><p class="maker">{{.Maker}}</p><p class="price">{{.Price}} ₫</p>{{if .Left}}<p class="left">Còn {{.Left}}</p>{{else}}<p>Hết hàng</p>{{end}}
<form method="post" action="/gio-hang"><input type="hidden" name="sku" value="{{.SKU}}"><button>Thêm vào giỏ</button></form></li>
{{end}}</ul></body></html>`))

// yardsticks are the handlers to be compared with.
func yardsticks(d *db.DB, products int) http.Handler {
	pool, mux := d.Pool(), http.NewServeMux()
	ready := []byte(strings.Repeat("<p>Trà Shan tuyết cổ thụ, ba sao.</p>\n", 40<<10/42))
	fail := func(w http.ResponseWriter, err error) { http.Error(w, err.Error(), http.StatusInternalServerError) }
	mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(ready)
	})
	mux.HandleFunc("/list", func(w http.ResponseWriter, r *http.Request) {
		from, ids := rand.Int64N(int64(products-24)), make([]int64, 24)
		for i := range ids {
			ids[i] = from + int64(i) + 1
		}
		rows, err := pool.Query(r.Context(), `SELECT p.slug, t.name, m.name, v.price, l.on_hand - l.reserved, v.sku FROM product p
			JOIN product_text t ON t.product_id = p.id AND t.locale = 'vi' JOIN producer m ON m.id = p.producer_id JOIN variant v ON v.product_id = p.id
			JOIN stock_level l ON l.variant_id = v.id WHERE p.id = ANY ($1) AND p.state = 'published' ORDER BY p.id`, ids)
		if err != nil {
			fail(w, err)
			return
		}
		defer rows.Close()
		type ware struct {
			Slug, Name, Maker, SKU string
			Price, Left            int64
		}
		var list []ware
		for rows.Next() {
			var x ware
			if err := rows.Scan(&x.Slug, &x.Name, &x.Maker, &x.Price, &x.Left, &x.SKU); err != nil {
				fail(w, err)
				return
			}
			list = append(list, x)
		}
		var b bytes.Buffer
		if err := bareList.Execute(&b, list); err != nil || rows.Err() != nil || len(list) != 24 {
			fail(w, fmt.Errorf("%v %v", err, rows.Err()))
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(b.Bytes())
	})
	mux.HandleFunc("/order", func(w http.ResponseWriter, r *http.Request) {
		if err := bareOrder(r, d, 1+rand.Int64N(int64(products))); err != nil {
			fail(w, err)
			return
		}
		http.Redirect(w, r, "/ok", http.StatusSeeOther)
	})
	mux.HandleFunc("/hot", func(w http.ResponseWriter, r *http.Request) {
		done, err := pool.Exec(r.Context(), `UPDATE y_level SET reserved = reserved + 1 WHERE id = 1 AND on_hand - reserved >= 1`)
		if err != nil || done.RowsAffected() != 1 {
			fail(w, fmt.Errorf("%v %v", done, err))
			return
		}
		http.Redirect(w, r, "/ok", http.StatusSeeOther)
	})
	return mux
}

// bareOrder is the least that an order writes, statement by statement.
func bareOrder(r *http.Request, d *db.DB, variant int64) error {
	ctx := r.Context()
	tx, err := d.Pool().Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	code := fmt.Sprintf("%016X", rand.Uint64())
	done, err := tx.Exec(ctx, `UPDATE y_level SET reserved = reserved + 1 WHERE id = $1 AND on_hand - reserved >= 1`, variant)
	if err != nil || done.RowsAffected() != 1 {
		return fmt.Errorf("%v %w", done, err)
	}
	var group, order, payment int64
	if err := tx.QueryRow(ctx, `INSERT INTO y_group (code, key, name, phone, total, at) VALUES ($1, $1, 'Nguyễn Thị Hòa', '+84912345678', 95000, now()) RETURNING id`, code).Scan(&group); err != nil {
		return err
	}
	if err := tx.QueryRow(ctx, `INSERT INTO y_payment (reference, method, state, amount) VALUES ($1, 'cod', 'expected', 95000) RETURNING id`, code).Scan(&payment); err != nil {
		return err
	}
	if err := tx.QueryRow(ctx, `INSERT INTO y_order (group_id, payment_id, code, state, total) VALUES ($1, $2, $3, 'placed', 95000) RETURNING id`, group, payment, code).Scan(&order); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO y_line (order_id, variant_id, quantity, price) VALUES ($1, $2, 1, 95000)`, order, variant); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO y_reservation (level_id, order_id, quantity) VALUES ($1, $2, 1)`, variant, order); err != nil {
		return err
	}
	return tx.Commit(ctx)
}
