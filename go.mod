module example.com/slackalert

go 1.26

require (
	github.com/slack-go/slack v0.35.0
	github.com/stretchr/testify v1.12.1
)
