package guide

import "trilby.example/guest/secret"

// Password is one value of a secret that has several.
func Password() (string, error) {
	login, err := secret.Get("secrets", "database", nil)
	return login.Value("password"), err
}
