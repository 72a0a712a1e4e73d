"""Secrets that are known by how they begin, and places that tell that a secret stands in them. Data, no code.

The beginnings are those that their issuers chose so that scanners find them, as gitleaks (https://gitleaks.io) and
GitHub's secret scanning list them. They share one rule for each kind of tail, so that a text is looked through once for
all of them and not once for each. Behind a place stands `value`: what is taken out.
"""

BEGINNINGS = (
    "whsec_", "gsk_", "npm_", "shpat_", "shpca_", "shppa_", "shpss_", "dop_v1_", "doo_v1_", "dor_v1_", "glsa_", "glc_",
    "gldt-", "glrt-", "glptt-", "glsoat-", "glagent-", "sntrys_", "sntryu_", "lin_api_", "ntn_", "rubygems_", "PMAK-", "NRAK-",
    "xkeysib-", "pplx-", "tvly-", "sbp_", "sb_secret_", "bkua_", "sgp_", "phx_", "r8_", "EZAK", "LTAI", "ABSK", "AGE-SECRET-KEY-1",
    "dt0c01\\.", "ghp_", "gho_", "shippo_live_", "duffel_live_", "FLWSECK-", "rk_live_", "sk_live_", "xai-", "tgp_v1_", "jina_",
)  # fmt: skip
"""Behind each stand at least ten letters and digits, and more of them, `_` and `-`; a digit is among them."""
NEWER = (
    "ATBB", "ATTA", "lin_oauth_", "HRKU-AA", "NRII-", "NRJS-", "NRAA-", "NRIQ-", "pnu_", "pnb_", "squ_", "sqp_", "sqa_", "tfp_", "CFPAT-", "CLOJARS_", "GR1348941", "glft-", "glimt-",
    "glrtr-", "glffct-", "lsv2_pt_", "lsv2_sk_", "sha256~", "EAAAE", "EAAC", "sk_test_", "rk_test_", "FLWSECK_TEST-", "shippo_test_", "duffel_test_", "csk-", "fw_", "esecret_", "napi_",
    "rnd_", "nfp_", "nfc_", "nfo_", "dckr_oat_", "cmVmdGtu", "AKCp", "p8e-", "fio-u-", "ico-", "rdme_", "sm_aat_", "tk-us-", "vercel_blob_rw_", "mlsn\\.", "apify_api_", "bb_live_", "rpa_",
    "api_org_", "zpka_", "EZTK", "dt0s16\\.", "AKID", "fm2_", "y0_", "sl\\.B", "ops_eyJ", "IQoJb3JpZ2luX2Vj", "e2b_",
)  # fmt: skip
"""Behind each as behind the first ones; apart, since what has many beginnings is looked for in every text."""
MIXED = (
    "xapp-1-", "GOCSPX-", "hvs\\.", "hvb\\.", "hvr\\.", "ya29\\.", "nvapi-", "dckr_pat_", "figd_", "ATATT3", "ATCTT3", "pscale_", "fo1_",
)  # fmt: skip
"""Behind these `_` and `-` may stand anywhere; capital and small letters and a digit are among them."""
BEGUN_NEWER = "|".join(NEWER)
BEGUN, BEHIND_BEGUN = "|".join(BEGINNINGS), r"[A-Za-z0-9]{10}[A-Za-z0-9_-]{10,}[A-Za-z0-9_.+/=-]*"
KEYS = (
    rf"\b(?:{BEGUN})(?=[A-Za-z_-]*\d){BEHIND_BEGUN}",
    rf"\b(?:{BEGUN_NEWER})(?=[A-Za-z_-]*\d){BEHIND_BEGUN}",
    rf"\b(?:{'|'.join(MIXED)})(?=\S{{0,60}}\d)(?=\S{{0,60}}[A-Z])(?=\S{{0,60}}[a-z])[A-Za-z0-9_-]{{20,}}[A-Za-z0-9_.+/=-]*",
    r"\b(?:ASIA|ABIA|ACCA|AROA|AIDA|AGPA)[A-Z2-7]{16}\b",
    r"\b(?:dapi[a-f0-9]{32}(?:-\d)?|pul-[a-f0-9]{40}|key-[0-9a-f]{32})\b",
)
"""Keys as a whole. What they begin with is looked for only where a run of signs is long enough to be one."""
OPEN, CLOSE = r"\\*[\"']", r"\\*[\"']"
LOGIN = r"[^\n|;&]{0,200}?\s"
PLACES: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("access-key", r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,}", (), ""),
    (
        "webhook",
        r"https://(?:(?:discord|discordapp)\.com/api/webhooks/\d+/|[\w.-]+\.webhook\.office\.com/)(?P<value>[\w@/-]{20,})",
        ("webhook",),
        "",
    ),
    (
        "cookie",
        r"(?i)\b(?:set-)?cookie2?\\*[\"']?\s*[:=]\s*\\*[\"']?(?P<value>[\w.-]{1,80}=[^\r\n\"'\\]{6,4000})",
        ("cookie",),
        r"2?\\*[\"']?\s*[:=]",
    ),
    ("netrc", r"(?i)\bmachine\s+\S{1,200}\s+login\s+\S{1,200}\s+password\s+(?P<value>\S{3,400})", ("machine",), r"\s"),
    (
        "pgpass",
        r"(?<![\w./:-])[\w.*-]{1,100}:(?:5[34]\d\d|6[45]\d\d|\*):[^:\s]{1,80}:[^:\s]{1,80}:(?P<value>[^:\s\"'\\]{4,200})(?![^\s\"'\\])",
        (":53", ":54", ":64", ":65", ":*:"),
        "",
    ),
    (
        "password",
        rf"\b(?:curl\b[^\n]{{0,300}}?\s(?:-u|--user|-U|--proxy-user)[ =]?[\"']?[^\s:\"']{{1,80}}:(?!//)"
        rf"|(?:mysql|mysqldump|mysqladmin|mariadb)\b{LOGIN}-p[\"']?"
        rf"|(?:sshpass|(?:docker|podman|nerdctl|registry|az|oc) login)\b{LOGIN}-p[ =]?[\"']?|redis-cli\b{LOGIN}-a[ =]?[\"']?"
        rf"|ldap(?:search|add|modify|passwd|whoami)\b{LOGIN}-w[ =]?[\"']?)(?P<value>[^\s\"'$-][^\s\"']{{2,200}})",
        ("curl", "mysql", "mariadb", "sshpass", " login", "redis-cli", "ldap"),
        r"\S*\s",
    ),
    (
        "password",
        r"(?i)(?:\bPGPASSWORD|[\w.-]{0,40}_pass)(?:=[\"']?|\s*:\s+[\"']?)(?P<value>[^\s\"'$&{\[][^\s\"'$&]{3,200})",
        ("_pass", "pgpassword"),
        r"\s*[=:]",
    ),
    (
        "password",
        rf"(?i)(?<![\w-])[\"'](?:pass|[\w.-]{{0,40}}_pass|pw){CLOSE}\s*:\s*{OPEN}(?P<value>[^\"'\n\\]{{4,400}}){CLOSE}",
        ("pass", "pw"),
        rf"{CLOSE}\s*:\s*{OPEN}[^\"'\n\\]{{4}}",
    ),
    (
        "docker-auth",
        rf"[\"']auth{CLOSE}\s*:\s*{OPEN}(?P<value>[A-Za-z0-9+/]{{8,}}={{0,2}}){CLOSE}",
        ("auth",),
        rf"{CLOSE}\s*:\s*{OPEN}",
    ),
    (
        "access-key",
        r"(?i)[?&](?:access_token|id_token|api[_-]?key|apikey|auth|token|code|key|password|client_secret|sig|signature|hmac"
        r"|x-amz-signature|x-amz-security-token|x-goog-signature)=(?P<value>[A-Za-z0-9%+/=_.~-]{12,4000})",
        ("token=", "key=", "auth=", "code=", "word=", "secret=", "sig=", "signature=", "hmac="),
        r"[a-z0-9%+/=_.~-]{12}",
    ),
    (
        "access-key",
        r"(?i)\bx-(?:api|auth|access|functions|vault|gitlab|shopify|amz-security)[a-z-]{0,30}(?:key|token)\\*[\"']?\s*[:=]\s*"
        r"\\*[\"']?(?P<value>[A-Za-z0-9_.+/=~-]{12,4000})",
        ("x-api", "x-auth", "x-access", "x-functions", "x-vault", "x-gitlab", "x-shopify", "x-amz-security"),
        "",
    ),
    (
        "password",
        r"(?i)<(?:\w{1,20}:)?(?:password|passwd|passphrase|secret|api-?key|token|private-?key)>(?P<value>[^<>\s]{4,400})</",
        ("word>", "wd>", "phrase>", "secret>", "key>", "token>"),
        r"[^<>\s]{4}",
    ),
    (
        "password",
        r"(?i)\b(?:IDENTIFIED BY|(?:WITH |ENCRYPTED )PASSWORD)\s+'(?P<value>[^'\n]{3,200})'",
        ("identified by", "h password", "d password"),
        r"\s+'",
    ),
)
"""Kind, pattern, and what to look for first: words that are in each match (in lower case where the pattern has no regard
to case), and what stands right behind them."""
NO_TOKENS = ("page", "next", "prev", "sync", "cont", "cursor", "max", "min", "pad", "eos", "bos", "unk", "sep", "cls", "mask", "per", "num", "last",
             "first", "stop", "start", "end", "image", "text", "prompt", "resume", "special", "continuation")  # fmt: skip
"""What stands before `_token` where it is a place in a list, or a piece of a text, and no secret."""
UNITS = "service|socket|timer|target|mount|automount|slice|scope|device|path|swap"
"""Endings of systemd's units: `getty@tty1.service` is no address."""
