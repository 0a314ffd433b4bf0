package shop

import (
	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/account"
)

// Who is the person who is signed in, for the pages of other audiences: there is one way in for all.
func (s *Shop) Who(c *gin.Context) (account.Account, bool, error) { return s.who(c) }
