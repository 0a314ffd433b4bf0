package testkit

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
)

// SubmitFile sends the form with a file in one of its fields, as a browser does with enctype multipart/form-data.
func (f *Form) SubmitFile(button, field, name string, data []byte) *Answer {
	v := f.answer.visitor
	v.t.Helper()
	address, values := f.Request(button)
	values.Del(field)
	return v.PostFile(address, values, field, name, data)
}

// PostFile sends form values with a file, without a form.
func (v *Visitor) PostFile(path string, values url.Values, field, name string, data []byte) *Answer {
	v.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for k, all := range values {
		for _, one := range all {
			if err := w.WriteField(k, one); err != nil {
				v.t.Fatal(err)
			}
		}
	}
	part, err := w.CreateFormFile(field, name)
	if err == nil {
		_, err = part.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		v.t.Fatal(err)
	}
	return v.must(v.send(http.MethodPost, path, &body, w.FormDataContentType()))
}
