package guide

import "trilby.example/guest/metadata"

// Introduce leaves a note, and gives the whole as JSON.
func Introduce() ([]byte, error) {
	if err := metadata.Set("owner", "team-tea"); err != nil {
		return nil, err
	}
	return metadata.Get()
}
