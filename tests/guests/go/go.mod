module trilby.example/cgi

go 1.24
