package guide

import "trilby.example/guest/binding"

// Archive writes a file.
func Archive(report []byte) error {
	name := &binding.Options{Metadata: map[string]string{"fileName": "report.txt"}}
	_, err := binding.Invoke("files", "create", report, name)
	return err
}
