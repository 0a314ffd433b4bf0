package kit

import (
	"bytes"
	"fmt"
	"html/template"
	"reflect"
	"strings"
	"sync"
)

// parts are partials that were written before, by what they were written of: {{once "ware" .}} is {{template "ware" .}},
// but a value that comes again is not escaped again, which takes most of the time of a list. The value is the whole key, so
// nothing can be out of date: another price is another value. It must be comparable and know all that the partial shows.
// {{each "ware" .Wares}} is the same for every value of a slice.
type parts struct {
	set *template.Template

	mu       sync.RWMutex
	now, old map[part]template.HTML
}

type part struct {
	name  string
	value any
}

// partsMost is how many parts are kept, twice: what was not asked for while so many others were is forgotten.
const partsMost = 2048

// each is once for every value of a slice, without a step of the template for each.
func (p *parts) each(name string, values any) (template.HTML, error) {
	list := reflect.ValueOf(values)
	if list.Kind() != reflect.Slice {
		return "", fmt.Errorf("kit: parts %s of %T", name, values)
	}
	var all strings.Builder
	for i := range list.Len() {
		html, err := p.html(name, list.Index(i).Interface())
		if err != nil {
			return "", err
		}
		all.WriteString(string(html))
	}
	return template.HTML(all.String()), nil
}

func (p *parts) html(name string, value any) (template.HTML, error) {
	key := part{name, value}
	p.mu.RLock()
	html, young := p.now[key]
	ok := young
	if !ok {
		html, ok = p.old[key]
	}
	p.mu.RUnlock()
	if young {
		return html, nil
	}
	if !ok {
		var b bytes.Buffer
		if err := p.set.ExecuteTemplate(&b, name, value); err != nil {
			return "", fmt.Errorf("kit: part %s: %w", name, err)
		}
		html = template.HTML(b.String())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.now) >= partsMost {
		p.old, p.now = p.now, nil
	}
	if p.now == nil {
		p.now = map[part]template.HTML{}
	}
	p.now[key] = html
	return html, nil
}
