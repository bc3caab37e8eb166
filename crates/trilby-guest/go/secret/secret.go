// Package secret reads secrets.
package secret

import "trilby.example/guest/internal/abi"

// Options are the options of [Get]: which version of the secret, in the words of its store.
type Options struct {
	Version, VersionID, VersionStage string
}

// Secret is a secret's values. Printed, it shows none of them.
type Secret struct {
	text   string
	values map[string]string
}

// Text is the secret that has one value; empty if it has several.
func (s Secret) Text() string {
	return s.text
}

// Value is one of the secret's values by name, empty if there is none.
func (s Secret) Value(name string) string {
	return s.values[name]
}

// Values are all values by name.
func (s Secret) Values() map[string]string {
	return s.values
}

// String hides the secret from the verbs of package fmt.
func (s Secret) String() string {
	return "secret.Secret(…)"
}

// GoString hides the secret from the verb %#v.
func (s Secret) GoString() string {
	return s.String()
}

// Get reads a secret.
func Get(store, key string, options *Options) (Secret, error) {
	block, err := options.block()
	if err != nil {
		return Secret{}, err
	}
	answer, err := abi.Open(hostGet(store, key, block))
	if err != nil {
		return Secret{}, err
	}
	defer answer.Close()
	var secret Secret
	if secret.values, err = answer.Prefixed("value."); err != nil {
		return Secret{}, err
	}
	body, err := answer.Body()
	secret.text = string(body)
	return secret, err
}

// GetBulk reads all secrets of a store that are granted, by key.
func GetBulk(store string) (map[string]Secret, error) {
	body, err := abi.Whole(hostGetBulk(store, ""))
	if err != nil {
		return nil, err
	}
	type record struct {
		Key    string
		Values map[string]string
	}
	records, err := abi.Parse[record](body)
	if err != nil {
		return nil, err
	}
	secrets := make(map[string]Secret, len(records))
	for _, r := range records {
		secret := Secret{values: r.Values}
		if len(r.Values) == 1 {
			for _, value := range r.Values {
				secret.text = value
			}
		}
		secrets[r.Key] = secret
	}
	return secrets, nil
}

func (o *Options) block() (string, error) {
	if o == nil {
		return "", nil
	}
	var options abi.Options
	options.Text("metadata.version", o.Version)
	options.Text("metadata.version_id", o.VersionID)
	options.Text("metadata.version_stage", o.VersionStage)
	return options.Block()
}
