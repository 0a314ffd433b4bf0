package kit

import (
	"io"
	"mime"
	"net/http"

	"github.com/gin-gonic/gin"
)

// SendPaper answers with a private paper: kept by nobody on the way, shown as what it was checked to be and as nothing
// else, under the name that the person gave it.
func SendPaper(c *gin.Context, open func() (name, kind string, bytes int64, r io.ReadCloser, err error)) error {
	name, kind, bytes, r, err := open()
	if err != nil {
		return err
	}
	defer r.Close()
	c.Header("Cache-Control", "private, no-store")
	c.Header("X-Content-Type-Options", "nosniff")
	c.Header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	c.DataFromReader(http.StatusOK, bytes, kind, r, map[string]string{
		"Content-Disposition": mime.FormatMediaType("inline", map[string]string{"filename": name}),
	})
	return nil
}
