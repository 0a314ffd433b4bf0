package seller

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
)

// task is a kind of work that may wait for a producer. Its texts are seller.task.NAME with {n}, and seller.task.NAME_how,
// which may say {due}. What nothing waits for is not shown.
type task struct {
	right right
	name  string
	path  string
	gold  bool // it concerns the official stars
	// waits says how much waits for a producer and the day by which the first must be done, if there is one.
	waits func(ctx context.Context, producerID int64) (n int, due clock.Date, err error)
}

// tasks are the kinds of work of the start page, most pressing first: one line each.
func (s *Seller) tasks() []task {
	return []task{
		{account.EditGoods, "stars_back", stars, false, undated(s.Stars.ToMend)},
		{account.ConfirmTransfer, "money", "/office/money", false, undated(s.Money.Waiting)},
		{account.EditGoods, "stars", stars, true, s.Stars.Ending},
	}
}

// undated is work without a day by which it must be done.
func undated(count func(context.Context, int64) (int, error)) func(context.Context, int64) (int, clock.Date, error) {
	return func(ctx context.Context, producerID int64) (int, clock.Date, error) {
		n, err := count(ctx, producerID)
		return n, clock.Date{}, err
	}
}

// Task is work that waits, in words.
type Task struct {
	N              int
	Text, How, URL string
	Gold           bool
}

// Today is the start page: what to do, most pressing first.
type Today struct {
	Frame
	Tasks []Task
}

func (s *Seller) today(c *gin.Context) error {
	m := &Today{Frame: s.frame(c, "seller.today.title")}
	a, p := person(c), current(c)
	for _, t := range s.tasks() {
		if !may(a, t.right, p.ID) {
			continue
		}
		n, due, err := t.waits(c.Request.Context(), p.ID)
		if err != nil {
			return err
		}
		if n > 0 {
			m.Tasks = append(m.Tasks, m.task(t, n, due))
		}
	}
	return s.Views.Render(c, http.StatusOK, "seller/today", m)
}

func (f *Frame) task(t task, n int, due clock.Date) Task {
	return Task{N: n, Text: f.T("seller.task."+t.name, "n", n), How: f.T("seller.task."+t.name+"_how", "due", i18n.FormatDay(f.Locale, due)),
		URL: t.path, Gold: t.gold}
}
