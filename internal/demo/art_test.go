package demo

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"io"
	"slices"
	"testing"

	"choocop.vn/ocop/internal/media"
)

func TestEverySheetGivesTwelveDifferentDrawings(t *testing.T) {
	seen := map[string]string{}
	for set := 1; set <= Sets; set++ {
		for i := range Variants * len(sheetsOf(set)) {
			v := i % Variants
			svg := string(sheetsOf(set)[i/Variants].draw(set, v))
			where := fmt.Sprintf("set %d variant %d", set, v)
			if other, ok := seen[svg]; ok {
				t.Errorf("%s is the same as %s", where, other)
			}
			seen[svg] = where
		}
	}
}

func TestDrawingsArePlainSVG(t *testing.T) {
	for set := 1; set <= Sets; set++ {
		for i := range Variants * len(sheetsOf(set)) {
			v := i % Variants
			svg := sheetsOf(set)[i/Variants].draw(set, v)
			for _, bad := range []string{"var(", "<use", "<style", "clip-path", "id=", "data-", "class="} {
				if bytes.Contains(svg, []byte(bad)) {
					t.Errorf("set %d variant %d contains %s", set, v, bad)
				}
			}
			d := xml.NewDecoder(bytes.NewReader(svg))
			for {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("set %d variant %d: %v", set, v, err)
				}
			}
		}
	}
}

func TestTheSameProductAlwaysHasTheSameDrawing(t *testing.T) {
	used := map[string]bool{}
	for _, seed := range []string{"Chè Thái Nguyên", "Chè Suối Giàng", "Cam Vinh", "a", "b", "c", "d", "e", "f", "g"} {
		one := Drawing(11, seed)
		if !bytes.Equal(one, Drawing(11, seed)) {
			t.Errorf("%s: two drawings", seed)
		}
		used[string(one)] = true
	}
	if len(used) < 5 {
		t.Errorf("ten products share %d drawings", len(used))
	}
}

func TestTheNameChoosesAmongTheDrawingsOfASet(t *testing.T) {
	for _, c := range []struct {
		set   int
		name  string
		title string
	}{
		{1, "Cam Vinh", "Quả tươi"}, {1, "Rau cải mèo Bắc Hà", "Rau củ"}, {1, "Bí xanh", "Rau củ"},
		{1, "Bưởi da xanh", "Quả tươi"}, // bưởi is no bí
		{2, "Trứng gà Tiên Yên", "Trứng, sữa tươi"}, {2, "Cá lăng", "Thịt, cá tươi"},
		{8, "Giò lụa Ước Lễ", "Giò, chả, thịt chế biến"}, {8, "Thịt trâu gác bếp", "Khô cá, thịt"},
		{8, "Khô cá lóc", "Khô cá, thịt"}, {21, "Ấm chén Bát Tràng", "Gốm sứ"}, {21, "Giỏ mây", "Mây tre đan"},
		{25, "Chim chào mào", "Chim cảnh"}, {25, "Cá Koi", "Động vật cảnh"},
	} {
		if svg := Drawing(c.set, c.name); !bytes.Contains(svg, []byte("<title>"+c.title+"</title>")) {
			t.Errorf("%s is not drawn as %s", c.name, c.title)
		}
	}
}

func TestDrawingOfAnUnknownSetPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Drawing(Sets+1, "x")
}

// A drawing that loses its object, its ground or its ink would pass every other test.
func TestEveryVariantIsDrawnInFull(t *testing.T) {
	for set := 1; set <= Sets; set++ {
		for i := range Variants * len(sheetsOf(set)) {
			v := i % Variants
			img, err := media.Rasterise(sheetsOf(set)[i/Variants].draw(set, v), 80)
			if err != nil {
				t.Fatalf("set %d variant %d: %v", set, v, err)
			}
			ink, colours := survey(img)
			if ink < .012 || ink > .35 {
				t.Errorf("set %d variant %d: %.1f%% ink", set, v, ink*100)
			}
			if colours < 4 {
				t.Errorf("set %d variant %d: %d colours", set, v, colours)
			}
			if a := img.RGBAAt(0, 0).A; a != 255 {
				t.Errorf("set %d variant %d: the corner is see-through", set, v)
			}
		}
	}
}

// survey says how much of the picture is ink, and how many colours fill a hundredth or more.
func survey(img *image.RGBA) (ink float64, colours int) {
	counts := map[[3]uint8]int{}
	for i := 0; i < len(img.Pix); i += 4 {
		p := img.Pix[i : i+3]
		if slices.Max(p) < 0x60 {
			ink++
		}
		counts[[3]uint8{p[0] >> 4, p[1] >> 4, p[2] >> 4}]++
	}
	n := len(img.Pix) / 4
	for _, c := range counts {
		if c*100 >= n {
			colours++
		}
	}
	return ink / float64(n), colours
}

func BenchmarkDrawing(b *testing.B) {
	for b.Loop() {
		Drawing(24, "mai vàng")
	}
}
