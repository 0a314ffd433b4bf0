package seller

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/platform/apperr"
)

// Option is a producer to choose.
type Option struct {
	ID      int64
	Name    string
	Current bool
}

// Choose lets somebody who works for several producers say for which one they act.
type Choose struct {
	Frame
	Options []Option
}

func (s *Seller) choose(c *gin.Context) error {
	m := &Choose{Frame: s.frame(c, "seller.choose.title")}
	mine := producersOf(person(c))
	found, err := s.Producers.Several(c.Request.Context(), mine)
	if err != nil {
		return err
	}
	for _, id := range mine {
		if p, ok := found[id]; ok {
			m.Options = append(m.Options, Option{ID: id, Name: p.LocalName(m.Locale), Current: id == current(c).ID})
		}
	}
	return s.Views.Render(c, http.StatusOK, "seller/choose", m)
}

func (s *Seller) doChoose(c *gin.Context) error {
	id, err := strconv.ParseInt(c.PostForm("producer"), 10, 64)
	if err != nil || !slices.Contains(producersOf(person(c)), id) {
		return apperr.New(apperr.NotFound, "producer.producer.unknown")
	}
	s.remember(c, id)
	c.Redirect(http.StatusSeeOther, "/seller")
	return nil
}

// remember keeps the choice in this browser.
func (s *Seller) remember(c *gin.Context, id int64) {
	http.SetCookie(c.Writer, &http.Cookie{Name: chosenCookie, Value: strconv.FormatInt(id, 10), Path: "/seller", MaxAge: int(chosenFor.Seconds()),
		HttpOnly: true, Secure: s.HTTPS, SameSite: http.SameSiteLaxMode})
}
