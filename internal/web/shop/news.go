package shop

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/web/kit"
)

// Bounds of streams to pages that wait for money.
const (
	newsTotal      = 2000 // open at a time in this process
	newsPerAddress = 200  // behind one address of a mobile network are many people
	newsBeat       = 15 * time.Second
	newsLife       = 20 * time.Minute // then the page asks anew
	newsWrite      = 10 * time.Second // a reader who takes longer for a few bytes is gone
	newsLook       = 3 * time.Second  // how often the database is asked while Redis is away
	newsLookRarely = 30 * time.Second // and while it is there, for news may get lost
	newsGap        = 50 * time.Millisecond
)

// NewsSource is where news comes from; app fills it.
type NewsSource struct {
	// Stamps asks the database about many purchases at once.
	Stamps func(ctx context.Context, groups []int64) (map[int64]int64, error)
	// Listen hears of purchases that have changed, until ctx ends; there reports whether news arrives at present.
	Listen func(ctx context.Context, hear func(key string), missed func()) (there func() bool)
}

// News tells open pages that their purchase has changed. However many wait, the process listens once and asks the
// database with one statement at a time.
type News struct {
	source NewsSource
	ctx    context.Context
	end    context.CancelFunc
	begin  sync.Once
	there  func() bool
	kick   chan struct{}

	mu      sync.Mutex
	waiting map[int64]map[*waiter]bool
	from    map[string]int
	total   int
	dirty   map[int64]bool
	all     bool
}

// waiter is one open page.
type waiter struct {
	group, stamp int64
	address      string
	changed      chan struct{}
}

// NewNews returns a hub that begins to listen with the first page.
func NewNews(source NewsSource) *News {
	n := &News{source: source, kick: make(chan struct{}, 1), waiting: map[int64]map[*waiter]bool{}, from: map[string]int{}, dirty: map[int64]bool{}}
	n.ctx, n.end = context.WithCancel(context.Background())
	return n
}

// Close ends all streams at once.
func (n *News) Close() { n.end() }

// join adds a page; false means that too many are open.
func (n *News) join(group, stamp int64, address string) (*waiter, bool) {
	n.begin.Do(func() {
		n.there = n.source.Listen(n.ctx, n.heard, n.missed)
		go n.run()
	})
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.total >= newsTotal || n.from[address] >= newsPerAddress {
		return nil, false
	}
	w := &waiter{group: group, stamp: stamp, address: address, changed: make(chan struct{}, 1)}
	if n.waiting[group] == nil {
		n.waiting[group] = map[*waiter]bool{}
	}
	n.waiting[group][w] = true
	n.from[address]++
	n.total++
	// What changed before the page was on the list is found by a look.
	n.dirty[group] = true
	n.wake()
	return w, true
}

func (n *News) leave(w *waiter) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if delete(n.waiting[w.group], w); len(n.waiting[w.group]) == 0 {
		delete(n.waiting, w.group)
	}
	if n.from[w.address]--; n.from[w.address] == 0 {
		delete(n.from, w.address)
	}
	n.total--
}

func (n *News) heard(key string) {
	group, err := strconv.ParseInt(key, 10, 64)
	if err != nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiting[group] != nil {
		n.dirty[group] = true
		n.wake()
	}
}

func (n *News) missed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = true
	n.wake()
}

func (n *News) wake() {
	select {
	case n.kick <- struct{}{}:
	default:
	}
}

// run asks about what may have changed, one statement after the other.
func (n *News) run() {
	for {
		look := newsLookRarely
		if !n.there() {
			look = newsLook
		}
		timer := time.NewTimer(look)
		select {
		case <-n.ctx.Done():
			timer.Stop()
			return
		case <-n.kick:
			timer.Stop()
		case <-timer.C:
			n.mu.Lock()
			n.all = true
			n.mu.Unlock()
		}
		n.look()
		select {
		case <-n.ctx.Done():
			return
		case <-time.After(newsGap):
		}
	}
}

func (n *News) look() {
	n.mu.Lock()
	var ids []int64
	for group := range n.waiting {
		if n.all || n.dirty[group] {
			ids = append(ids, group)
		}
	}
	n.all = false
	clear(n.dirty)
	n.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(n.ctx, newsLook)
	defer cancel()
	stamps, err := n.source.Stamps(ctx, ids)
	if err != nil {
		if n.ctx.Err() == nil {
			slog.WarnContext(ctx, "news of purchases cannot be looked up", "error", err)
		}
		return // the next look asks about all
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for group, stamp := range stamps {
		for w := range n.waiting[group] {
			if w.stamp == stamp {
				continue
			}
			select {
			case w.changed <- struct{}{}:
			default:
			}
		}
	}
}

// NewsState answers a page that cannot hold a stream open.
type NewsState struct {
	Stamp string `json:"ban"`
	Waits bool   `json:"cho"`
}

// orderNews tells a page that waits for money when its purchase has changed: as a stream of events, or with hoi=1 as a
// single answer. The page says with ban which stamp it shows. Nothing more to wait for is 204, after which browsers ask
// no more.
func (s *Shop) orderNews(c *gin.Context) error {
	w, err := s.Orders.Watch(c.Request.Context(), c.Param("code"), c.Query("khoa"))
	if err != nil {
		return err
	}
	stamp := strconv.FormatInt(w.Stamp, 10)
	shown, err := strconv.ParseInt(c.Query("ban"), 10, 64)
	if err != nil {
		shown = w.Stamp
	}
	switch {
	case c.Query("hoi") == "1":
		c.JSON(http.StatusOK, NewsState{stamp, w.Waits})
		return nil
	case !w.Waits && shown == w.Stamp:
		c.Status(http.StatusNoContent)
		return nil
	}
	page, ok := s.News.join(w.GroupID, shown, kit.Address(c))
	if !ok {
		c.Header("Retry-After", "10")
		return apperr.New(apperr.Unavailable, "error.too_many.text")
	}
	defer s.News.leave(page)
	s.stream(c, page, w.Until.Sub(s.Clock.Now()))
	return nil
}

// stream writes events until the purchase changes, its time to pay is over, the reader leaves or the server stops. Then
// it ends: what the page shows next says what to wait for next.
func (s *Shop) stream(c *gin.Context, page *waiter, left time.Duration) {
	h := c.Writer.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // proxies hand on each event as it comes
	wire := http.NewResponseController(c.Writer)
	_ = wire.SetReadDeadline(time.Time{}) // the server's bounds are for pages
	say := func(text string) bool {
		_ = wire.SetWriteDeadline(clock.System().Now().Add(newsWrite))
		_, err := fmt.Fprint(c.Writer, text)
		return err == nil && wire.Flush() == nil
	}
	if !say("retry: 3000\n\n") {
		return
	}
	beat := time.NewTicker(newsBeat)
	defer beat.Stop()
	over, old := time.NewTimer(max(left, 0)+500*time.Millisecond), time.NewTimer(newsLife)
	defer over.Stop()
	defer old.Stop()
	for {
		select {
		case <-page.changed:
			say("event: doi\ndata: doi\n\n")
			return
		case <-over.C:
			say("event: doi\ndata: het\n\n")
			return
		case <-beat.C:
			if !say(": \n\n") {
				return
			}
		case <-old.C:
			return
		case <-s.News.ctx.Done():
			return
		case <-c.Request.Context().Done():
			return
		}
	}
}
