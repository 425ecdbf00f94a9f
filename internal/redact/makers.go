// This file lists whose tokens are known by how they begin.

package redact

// A maker's tokens begin with prefix and go on with at least least bytes of
// body. Those with bound must begin where a word does.
type maker struct {
	prefix string
	body   class
	least  int
	bound  bool
}

// makers by their names. A prefix of two letters is told by the third byte of
// the token.
var makers = []maker{
	{"xoxe.", slackc, 1, false}, // Slack
	{"xapp-", slackc, 1, true},
	{"xwfp-", slackc, 1, true},
	{"xox", slackc, 3, false}, // and a letter and a dash
	{"AGE-SECRET-KEY-1", upnum, 16, false},
	{"pat", jwtc, 78, true},         // Airtable
	{"LTAI", alnum, 16, true},       // Alibaba
	{"sk-ant-", tokenc, 16, true},   // Anthropic
	{"ATATT3x", base64c, 16, false}, // Atlassian
	{"ATCTT3x", base64c, 16, false},
	{"AKIA", upnum, 16, false}, // AWS
	{"ASIA", upnum, 16, false},
	{"ABSK", base64c, 40, true}, // Bedrock
	{"bedrock-api-key-", base64c, 16, true},
	{"IQoJb3JpZ2lu", base64c, 40, true}, // session tokens
	{"FwoGZXIvYXdz", base64c, 40, true},
	{"FQoGZXIvYXdz", base64c, 40, true},
	{"8Q~", tokenc, 31, false}, // Azure, behind its first three bytes
	{"bkua_", alnum, 32, true}, // Buildkite
	{"cfut_", alnum, 32, true}, // Cloudflare
	{"cfat_", alnum, 32, true},
	{"v1.0-", tokenc, 100, true},
	{"dapi", hexc, 32, true},     // Databricks
	{"dop_v1_", alnum, 32, true}, // DigitalOcean
	{"doo_v1_", alnum, 32, true},
	{"dor_v1_", alnum, 32, true},
	{"api/webhooks/", slackc, 60, false}, // Discord
	{"mfa.", tokenc, 60, true},
	{"dckr_pat_", tokenc, 16, true}, // Docker
	{"dckr_oat_", tokenc, 16, true},
	{"dp.", jwtc, 40, true},       // Doppler
	{"sl.", jwtc, 60, true},       // Dropbox
	{"EAAC", alnum, 60, true},     // Facebook
	{"figd_", tokenc, 30, true},   // Figma
	{"FlyV1 ", base64c, 40, true}, // Fly
	{"fm2_", base64c, 40, true},
	{"ghp_", alnum, 8, false}, // GitHub
	{"gho_", alnum, 8, false},
	{"ghu_", alnum, 8, false},
	{"ghs_", alnum, 8, false},
	{"ghr_", alnum, 8, false},
	{"github_pat_", tokenc, 8, false},
	{"glpat-", tokenc, 8, false}, // GitLab
	{"gldt-", tokenc, 16, true},
	{"glrt-", tokenc, 16, true},
	{"glcbt-", tokenc, 16, true},
	{"glptt-", tokenc, 16, true},
	{"AIza", tokenc, 30, false}, // Google
	{"ya29.", jwtc, 16, true},
	{"GOCSPX-", tokenc, 16, false},
	{"1//0", tokenc, 40, true},
	{"glsa_", tokenc, 30, true}, // Grafana
	{"glc_", base64c, 30, true},
	{"gsk_", alnum, 32, true},     // Groq
	{"HRKU-", tokenc, 30, true},   // Heroku
	{"hf_", alnum, 30, true},      // Hugging Face
	{"AKCp", alnum, 60, true},     // JFrog
	{"lin_api_", alnum, 30, true}, // Linear
	{"lin_oauth_", alnum, 30, true},
	{"key-", hexc, 32, true},   // Mailgun
	{"NRAK-", upnum, 20, true}, // New Relic
	{"NRII-", tokenc, 20, true},
	{"nfp_", alnum, 30, true}, // Netlify
	{"ntn_", alnum, 30, true}, // Notion
	{"secret_", alnum, 40, true},
	{"npm_", alnum, 30, true},
	{"sk-proj-", tokenc, 16, true}, // OpenAI and those who do as it does
	{"sk-svcacct-", tokenc, 16, true},
	{"sk-", tokenc, 40, true},
	{"access-production-", tokenc, 36, true}, // Plaid
	{"pscale_", jwtc, 32, true},              // PlanetScale
	{"PMAK-", tokenc, 40, true},              // Postman
	{"pul-", hexc, 40, true},                 // Pulumi
	{"pypi-", tokenc, 50, true},
	{"rzp_live_", alnum, 14, true}, // Razorpay
	{"rzp_test_", alnum, 14, true},
	{"rubygems_", hexc, 40, true},
	{"SG.", jwtc, 40, true},        // SendGrid
	{"sntrys_", base64c, 30, true}, // Sentry
	{"sntryu_", base64c, 30, true},
	{"shpat_", alnum, 30, true}, // Shopify
	{"shpca_", alnum, 30, true},
	{"shppa_", alnum, 30, true},
	{"shpss_", alnum, 30, true},
	{"sq0atp-", tokenc, 20, true}, // Square
	{"sq0csp-", tokenc, 20, true},
	{"EAAA", tokenc, 60, true},
	{"sk_live_", tokenc, 8, true}, // Stripe
	{"rk_live_", tokenc, 8, true},
	{"sk_test_", tokenc, 8, true},
	{"rk_test_", tokenc, 8, true},
	{"whsec_", base64c, 16, true},
	{"sbp_", hexc, 32, true}, // Supabase
	{"sb_secret_", tokenc, 20, true},
	{"tskey-", tokenc, 20, true},     // Tailscale
	{":AA", tokenc, 33, false},       // Telegram, behind the bot's number
	{".atlasv1.", tokenc, 40, false}, // Terraform
	{"SK", hexc, 32, true},           // Twilio
	{"AC", hexc, 32, true},
	{"hvs.", tokenc, 20, true}, // Vault
	{"hvb.", tokenc, 20, true},
	{"hvr.", tokenc, 20, true},
	{"xkeysib-", tokenc, 40, true}, // Brevo
	{"xai-", alnum, 40, true},
	{"pplx-", alnum, 40, true}, // Perplexity
	{"r8_", alnum, 36, true},   // Replicate
	{"$2a$", hashc, 50, false}, // hashes of passwords: bcrypt, crypt, argon2
	{"$2b$", hashc, 50, false},
	{"$2y$", hashc, 50, false},
	{"$5$", hashc, 43, false},
	{"$6$", hashc, 80, false},
	{"$argon2", hashc, 40, false},
}

// makersBy has them by their first byte.
var makersBy = func() (t [256][]maker) {
	for _, row := range makers {
		t[row.prefix[0]] = append(t[row.prefix[0]], row)
	}
	return t
}()
