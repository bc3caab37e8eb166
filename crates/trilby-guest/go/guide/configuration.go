package guide

import "trilby.example/guest/configuration"

// Limit is what operators have set, or 10.
func Limit() (string, error) {
	items, err := configuration.Get("settings", []string{"limit"}, nil)
	if limit, found := items["limit"]; found {
		return limit.Value, nil
	}
	return "10", err
}
