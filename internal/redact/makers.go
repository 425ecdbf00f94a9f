// This file lists whose tokens are known by how they begin.

package redact

import "strings"

// A maker's tokens begin with one of its prefixes, which blanks part, and go on
// with at least least bytes of body. Those with bound must begin where a word does.
type maker struct {
	prefixes string
	body     class
	least    int
	bound    bool
}

// makers by their names. A prefix of two letters is told by the third byte of
// the token.
var makers = []maker{
	{"xoxa- xoxb- xoxc- xoxd- xoxe- xoxp- xoxr- xoxs- xoxe.", slackc, 1, false}, // Slack
	{"xapp- xwfp-", slackc, 1, true},
	{"AGE-SECRET-KEY-1", upnum, 16, false},
	{"pat", jwtc, 78, true},                 // Airtable
	{"LTAI", alnum, 16, true},               // Alibaba
	{"sk-ant-", tokenc, 16, true},           // Anthropic
	{"ATATT3x ATCTT3x", base64c, 16, false}, // Atlassian
	{"AKIA ASIA", upnum, 16, false},         // AWS
	{"ABSK", base64c, 40, true},             // Bedrock
	{"bedrock-api-key-", base64c, 16, true},
	{"IQoJb3JpZ2lu FwoGZXIvYXdz FQoGZXIvYXdz", base64c, 40, true}, // session tokens
	{"8Q~", tokenc, 31, false},                                    // Azure, behind its first three bytes
	{"bkua_", alnum, 32, true},                                    // Buildkite
	{"CCIPAT_ CCIPRJ_", tokenc, 40, true},                         // CircleCI
	{"cfut_ cfat_", alnum, 32, true},                              // Cloudflare
	{"v1.0-", tokenc, 100, true},
	{"dapi", hexc, 32, true},                     // Databricks
	{"dop_v1_ doo_v1_ dor_v1_", alnum, 32, true}, // DigitalOcean
	{"api/webhooks/", slackc, 60, false},         // Discord
	{"mfa.", tokenc, 60, true},
	{"dckr_pat_ dckr_oat_", tokenc, 16, true},     // Docker
	{"dp.", jwtc, 40, true},                       // Doppler
	{"sl.", jwtc, 60, true},                       // Dropbox
	{"dt0c01. dt0s01. dt0s06.", jwtc, 80, true},   // Dynatrace
	{"EAAC", alnum, 60, true},                     // Facebook
	{"figd_", tokenc, 30, true},                   // Figma
	{"fc-", hexc, 32, true},                       // Firecrawl
	{"fm2_ fm1a_ fm1r_ fo1_", base64c, 40, true},  // Fly
	{"ghp_ gho_ ghu_ ghs_ ghr_", alnum, 8, false}, // GitHub
	{"github_pat_", tokenc, 8, false},
	{"glpat-", tokenc, 8, false}, // GitLab
	{"gldt- glrt- glcbt- glptt-", tokenc, 16, true},
	{"AIza", tokenc, 30, false}, // Google
	{"ya29.", jwtc, 16, true},
	{"GOCSPX-", tokenc, 16, false},
	{"1//0", tokenc, 40, true},
	{"glsa_", tokenc, 30, true}, // Grafana
	{"glc_", base64c, 30, true},
	{"gsk_", alnum, 32, true},                // Groq
	{"HRKU-", tokenc, 30, true},              // Heroku
	{"hf_", alnum, 30, true},                 // Hugging Face
	{"AKCp", alnum, 60, true},                // JFrog
	{"lin_api_ lin_oauth_", alnum, 30, true}, // Linear
	{"key-", hexc, 32, true},                 // Mailgun
	{"NRAK-", upnum, 20, true},               // New Relic
	{"NRII-", tokenc, 20, true},
	{"nfp_", alnum, 30, true}, // Netlify
	{"ntn_", alnum, 30, true}, // Notion
	{"secret_", alnum, 40, true},
	{"npm_", alnum, 30, true},
	{"sk-proj- sk-svcacct-", tokenc, 16, true}, // OpenAI and those who do as it does
	{"sk-", tokenc, 40, true},
	{"access-production-", tokenc, 36, true}, // Plaid
	{"pscale_", jwtc, 32, true},              // PlanetScale
	{"phx_", alnum, 40, true},                // PostHog
	{"PMAK-", tokenc, 40, true},              // Postman
	{"pul-", hexc, 40, true},                 // Pulumi
	{"pypi-", tokenc, 50, true},
	{"rzp_live_ rzp_test_", alnum, 14, true}, // Razorpay
	{"rubygems_", hexc, 40, true},
	{"SG.", jwtc, 40, true},                          // SendGrid
	{"sntrys_ sntryu_", base64c, 30, true},           // Sentry
	{"shpat_ shpca_ shppa_ shpss_", alnum, 30, true}, // Shopify
	{"sgp_", tokenc, 40, true},                       // Sourcegraph
	{"sq0atp- sq0csp-", tokenc, 20, true},            // Square
	{"EAAA", tokenc, 60, true},
	{"sk_live_ rk_live_ sk_test_ rk_test_", tokenc, 8, true}, // Stripe
	{"whsec_", base64c, 16, true},
	{"sbp_", hexc, 32, true}, // Supabase
	{"sb_secret_", tokenc, 20, true},
	{"tskey-", tokenc, 20, true},            // Tailscale
	{"tvly-", tokenc, 24, true},             // Tavily
	{"IncomingWebhook/", slackc, 40, false}, // Teams
	{":AA", tokenc, 33, false},              // Telegram, behind the bot's number
	{".atlasv1.", tokenc, 40, false},        // Terraform
	{"SK AC", hexc, 32, true},               // Twilio
	{"hvs. hvb. hvr.", tokenc, 20, true},    // Vault
	{"vercel_blob_rw_", tokenc, 30, true},
	{"xkeysib-", tokenc, 40, true}, // Brevo
	{"xai-", alnum, 40, true},
	{"pplx-", alnum, 40, true},           // Perplexity
	{"r8_", alnum, 36, true},             // Replicate
	{"$2a$ $2b$ $2y$", hashc, 50, false}, // hashes of passwords: bcrypt, crypt, argon2
	{"$5$", hashc, 43, false},
	{"$6$", hashc, 80, false},
	{"$argon2", hashc, 40, false},
}

// A prefix is one of its maker's.
type prefix struct {
	name string
	*maker
}

// prefixes by their first byte.
var prefixes = func() (t [256][]prefix) {
	for i := range makers {
		for _, name := range strings.Fields(makers[i].prefixes) {
			t[name[0]] = append(t[name[0]], prefix{name, &makers[i]})
		}
	}
	return t
}()
