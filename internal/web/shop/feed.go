package shop

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/web/kit"
)

// feedKeep is how long a feed may be kept: those who advertise read it once a day.
const feedKeep = 15 * time.Minute

// feedAtOnce is how many feeds are written at a time; each reads the whole shop.
var feedAtOnce = make(chan struct{}, 2)

// feedItem is an item of a product feed as Google Merchant Center has it (support.google.com/merchants/answer/7052112),
// which others read as well.
type feedItem struct {
	XMLName      xml.Name `xml:"item"`
	ID           string   `xml:"g:id"`
	Title        string   `xml:"title"`
	Description  string   `xml:"description"`
	Link         string   `xml:"link"`
	Image        string   `xml:"g:image_link,omitempty"`
	Availability string   `xml:"g:availability"`
	Price        string   `xml:"g:price"`
	Brand        string   `xml:"g:brand,omitempty"`
	GTIN         string   `xml:"g:gtin,omitempty"`
	Identified   string   `xml:"g:identifier_exists,omitempty"`
	Type         string   `xml:"g:product_type,omitempty"`
	Condition    string   `xml:"g:condition"`
	Measure      string   `xml:"g:unit_pricing_measure,omitempty"`
	Weight       string   `xml:"g:shipping_weight,omitempty"`
	Stars        string   `xml:"g:custom_label_0,omitempty"`
	Group        string   `xml:"g:item_group_id,omitempty"`
}

// feed writes every product that may be advertised, piece by piece. Should the database fail on the way the file ends
// unfinished: it is not well-formed then, so that nobody takes it for the whole shop.
func (s *Shop) feed(c *gin.Context) error {
	ctx, p := c.Request.Context(), s.page(c, "")
	stamp, err := s.Store.FeedStamp(ctx)
	if err != nil {
		return err
	}
	span := s.Clock.Now().Truncate(feedKeep)
	sum := sha256.Sum256([]byte(stamp + string(p.Locale) + span.String()))
	tag := `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	h := c.Writer.Header()
	h.Set("ETag", tag)
	h.Set("Last-Modified", span.UTC().Format(http.TimeFormat))
	h.Set("Cache-Control", "public, max-age="+seconds(feedKeep))
	if strings.Contains(c.GetHeader("If-None-Match"), strings.TrimPrefix(tag, "W/")) {
		c.Status(http.StatusNotModified)
		return nil
	}
	select {
	case feedAtOnce <- struct{}{}:
		defer func() { <-feedAtOnce }()
	case <-ctx.Done():
		return nil
	}
	f, err := s.Store.OpenFeed(ctx, p.Locale)
	if err != nil {
		return err
	}
	items, more, err := f.Next(ctx)
	if err != nil {
		return err
	}
	h.Set("Content-Type", "application/xml; charset=utf-8")
	w := bufio.NewWriterSize(c.Writer, 64<<10)
	if err := s.writeFeed(c, w, &p, f, items, more); err != nil {
		slog.WarnContext(ctx, "feed", "error", err)
	}
	return nil
}

func (s *Shop) writeFeed(c *gin.Context, w *bufio.Writer, p *kit.Page, f *storefront.Feed, items []storefront.FeedItem, more bool) error {
	_, err := io.WriteString(w, xml.Header+`<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>`)
	if err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	for _, n := range []struct {
		XMLName xml.Name
		Text    string `xml:",chardata"`
	}{{xml.Name{Local: "title"}, p.T("site.name")}, {xml.Name{Local: "link"}, p.Site.BaseURL + p.URL("/")}, {xml.Name{Local: "description"}, p.T("home.description")}} {
		if err := e.Encode(n); err != nil {
			return err
		}
	}
	for more {
		for _, i := range items {
			if err := e.Encode(s.feedItem(p, i)); err != nil {
				return err
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
		c.Writer.Flush()
		if items, more, err = f.Next(c.Request.Context()); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(w, "</channel></rss>\n"); err != nil {
		return err
	}
	return w.Flush()
}

func (s *Shop) feedItem(p *kit.Page, i storefront.FeedItem) feedItem {
	out := feedItem{ID: i.SKU, Title: i.Name, Description: cmp.Or(i.Summary, i.Name+", "+i.Unit), Link: p.Site.BaseURL + p.URL("/san-pham/"+i.Slug),
		Availability: "out_of_stock", Price: fmt.Sprintf("%d VND", int64(i.Price)), Brand: i.Maker, GTIN: i.GTIN, Type: strings.Join(i.Category, " > "),
		Condition: "new", Measure: feedMeasure(i.Net)}
	if i.InStock {
		out.Availability = "in_stock"
	}
	if i.GTIN == "" {
		out.Identified = "no"
	}
	if i.Image != "" {
		out.Image = p.Site.BaseURL + i.Image
	}
	if i.WeightG > 0 {
		out.Weight = strconv.Itoa(i.WeightG) + " g"
	}
	if i.Stars > 0 {
		out.Stars = "ocop-" + strconv.Itoa(i.Stars)
	}
	if i.Siblings {
		out.Title, out.Group = i.Name+", "+i.Unit, i.Slug
	}
	return out
}

// feedMeasure is the net content as feeds write it: "500 g", "330 ml", "10 ct".
func feedMeasure(n catalog.Net) string {
	switch {
	case n.IsZero():
		return ""
	case n.Unit == catalog.Piece:
		n.Unit = "ct"
	}
	text := strconv.FormatInt(n.Milli/1000, 10)
	if rest := n.Milli % 1000; rest > 0 {
		text += "." + strings.TrimRight(strconv.FormatInt(1000+rest, 10)[1:], "0")
	}
	return text + " " + n.Unit
}
