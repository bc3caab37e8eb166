package guide

import "trilby.example/guest/jobs"

// Plan has two jobs delivered: one each night, and one in ten minutes.
func Plan() error {
	nightly := &jobs.Options{Schedule: "0 30 3 * * *", Overwrite: true}
	if err := jobs.Schedule("report", nil, nightly); err != nil {
		return err
	}
	soon := &jobs.Options{DueTime: "10m", ContentType: "application/json"}
	return jobs.Schedule("remind-7", []byte(`{"order":7}`), soon)
}
