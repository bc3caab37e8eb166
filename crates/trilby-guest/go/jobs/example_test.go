package jobs_test

import (
	"fmt"

	"trilby.example/guest/jobs"
)

func ExampleSchedule() {
	err := jobs.Schedule("nightly", []byte(`{"what": "report"}`), &jobs.Options{
		Schedule:    "0 30 3 * * *",
		Overwrite:   true,
		ContentType: "application/json",
	})
	if err != nil {
		fmt.Println(err)
	}
}
