package catalog

import "choocop.vn/ocop/internal/platform/i18n"

// Keys of label facts; their names for people come from [FactName].
const (
	FactNetContent  = "net_content"
	FactIngredients = "ingredients"
	FactMadeOn      = "made_on"
	FactExpiry      = "expiry"
	FactStorage     = "storage"
	FactUsage       = "usage"
	FactWarning     = "warning"
	FactDeclaration = "declaration_no"
	FactFoodSafety  = "food_safety_no"
	FactAlcohol     = "alcohol"
	FactBenefit     = "benefit"
	FactAudience    = "audience"
	FactDose        = "dose"
	FactBatch       = "batch"
	FactNotifNo     = "notification_no"
	FactMaterial    = "material"
	FactSize        = "size"
	FactCare        = "care"
	FactSpecies     = "species"
	FactPlace       = "place"
	FactDuration    = "duration"
	FactIncludes    = "includes"
)

// FactName is what a label calls the fact: "Thành phần", "Ingredients".
func FactName(l i18n.Locale, key string) string { return i18n.T(l, "catalog.fact."+key, nil) }

// LabelKeys returns the facts that the label of a set's goods must give, in the order of a label: what domain law asks of
// food, liquor, health food, cosmetics, handicrafts, live plants and animals, and services. Origin and the maker's name
// and address come from the producer's own record and stand on every page; they are not in the list.
// Source: NĐ 37/2026/NĐ-CP Art. 42 and Annex I.
func LabelKeys(setNo int) []string {
	switch {
	case setNo == 14 || setNo == 15:
		return []string{FactNetContent, FactAlcohol, FactIngredients, FactMadeOn, FactExpiry, FactUsage, FactStorage, FactWarning, FactDeclaration, FactFoodSafety}
	case setNo == 18:
		return []string{FactNetContent, FactIngredients, FactBenefit, FactAudience, FactDose, FactMadeOn, FactExpiry, FactStorage, FactWarning, FactDeclaration, FactFoodSafety}
	case setNo == 19:
		return []string{FactNetContent, FactIngredients, FactUsage, FactBatch, FactMadeOn, FactExpiry, FactWarning, FactNotifNo}
	case setNo == 20:
		return []string{FactNetContent, FactIngredients, FactUsage, FactMadeOn, FactExpiry, FactStorage, FactWarning, FactDeclaration}
	case setNo == 21 || setNo == 22:
		return []string{FactNetContent, FactMaterial, FactSize, FactUsage, FactCare, FactWarning}
	case setNo >= 23 && setNo <= 25:
		return []string{FactNetContent, FactSpecies, FactSize, FactCare, FactWarning}
	case setNo == 26:
		return []string{FactPlace, FactDuration, FactIncludes, FactUsage, FactWarning}
	}
	return []string{FactNetContent, FactIngredients, FactMadeOn, FactExpiry, FactUsage, FactStorage, FactWarning, FactDeclaration, FactFoodSafety}
}

// CheckGTIN reports whether s is a GTIN-8, -12, -13 or -14 with a right check digit (GS1, weights 3 and 1 from the right).
func CheckGTIN(s string) bool {
	if n := len(s); n != 8 && n != 12 && n != 13 && n != 14 {
		return false
	}
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if s[len(s)-1-i] < '0' || d > 9 {
			return false
		}
		if i%2 == 1 {
			d *= 3
		}
		sum += d
	}
	return sum%10 == 0
}
