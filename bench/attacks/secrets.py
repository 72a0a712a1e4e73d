"""Secrets as logs hold them. `[[...]]` is the value that must be gone; in it `<a12>` are twelve letters and digits.

a: letters and digits, x: hexadecimal, d: digits, u: capitals and digits, l: small letters, m: letters, digits and signs.
"""

BEGINNINGS = {
    "Bitbucket app password": "[[ATBB<a32>]]", "Notion integration": "NOTION=[[secret_<a43>]]", "Linear OAuth": "[[lin_oauth_<x64>]]", "Airtable": "[[pat<a14>.<x64>]]",
    "Doppler": "[[dp.pt.<a43>]]", "Doppler service": "[[dp.st.prd.<a40>]]", "Heroku": "[[HRKU-AA<a58>]]", "Mapbox secret": "[[sk.eyJ1Ijoi<a60>.<a22>]]",
    "New Relic insert": "[[NRII-<a32>]]", "Prefect": "[[pnu_<a36>]]", "Pulumi": "[[pul-<x40>]]", "SonarQube": "[[squ_<x40>]]", "Typeform": "[[tfp_<a44>_<a14>]]",
    "Yandex OAuth": "[[y0_AgAAAA<a44>]]", "CircleCI": "[[CCIPAT_<a22>_<x40>]]", "Contentful": "[[CFPAT-<a43>]]", "Clojars": "[[CLOJARS_<x60>]]", "Facebook": "[[EAAC<a120>]]",
    "GitLab runner": "[[GR1348941<a20>]]", "GitLab CI job": "[[glcbt-64_<a20>]]", "Slack user": "[[xoxp-<d12>-<d12>-<d12>-<x32>]]", "Slack refresh": "[[xoxe-1-<u60>]]",
    "LaunchDarkly": "[[api-<x8>-<x4>-<x4>-<x4>-<x12>]]", "LangSmith": "[[lsv2_pt_<x32>_<x10>]]", "Azure client": "[[<a3>8Q~<a34>]]", "OpenShift": "[[sha256~<a43>]]",
    "Pinecone": "[[pcsk_<a6>_<a63>]]", "Plaid": "[[access-production-<x8>-<x4>-<x4>-<x4>-<x12>]]", "Snyk": "[[snyk_uat.<x8>.<a60>]]", "Square OAuth": "[[EAAAE<a59>]]",
    "Tailscale": "[[tskey-auth-<a12>-<a32>]]", "Trello": "[[ATTA<x64>]]", "Twitter bearer": "[[AAAAAAAAAAAAAAAAAAAAA<a40>%3D<a40>]]", "Vault of old": "VAULT [[s.<a24>]]",
    "WakaTime": "[[waka_<x8>-<x4>-<x4>-<x4>-<x12>]]", "ElevenLabs": "[[sk_<x48>]]", "Cerebras": "[[csk-<a48>]]", "Resend": "[[re_<a8>_<a24>]]", "Neon": "[[napi_<a64>]]",
    "Render": "[[rnd_<a28>]]", "Netlify": "[[nfp_<a36>]]", "1Password service": "[[ops_eyJ<a120>]]", "DeepL": "[[<x8>-<x4>-<x4>-<x4>-<x12>:fx]]", "Dropbox": "[[sl.B<a130>]]",
    "Tencent": "[[AKID<a32>]]", "AWS session": "[[IQoJb3JpZ2luX2Vj<a200>]]", "AWS temporary id": "[[ASIA<u16>]]", "Stripe test": "[[sk_test_<a24>]]", "Mattermost hook": "https://chat.corp.example/hooks/[[<a26>]]",
    "Docker org": "[[dckr_oat_<a32>]]", "Artifactory reference": "[[cmVmdGtuOjAxOj<a50>]]", "OpenRouter": "[[sk-or-v1-<x64>]]",
}  # fmt: skip
"""By how they begin."""

COMMANDS = {
    "openssl passin": "openssl rsa -in k.pem -passin pass:[[<a14>]] -out p.pem", "zip -P": "zip -P [[<a12>]] out.zip a.csv", "7z -p": "7z x -p[[<a12>]] in.7z", "gpg": "gpg --batch --passphrase [[<a14>]] -d f.gpg",
    "htpasswd": "htpasswd -b /etc/nginx/.htpasswd bob [[<a12>]]", "chpasswd": "echo 'bob:[[<a12>]]' | chpasswd", "sudo -S": "echo [[<a12>]] | sudo -S id", "smbclient": "smbclient //nas/share -U bob%[[<a12>]]",
    "mongosh -p": "mongosh -u root -p [[<a14>]] --authenticationDatabase admin", "kubectl literal": "kubectl create secret generic db --from-literal=pw=[[<a14>]]", "helm --set": "helm upgrade app . --set postgres.password=[[<a14>]]",
    "docker -e": "docker run -d -e MYSQL_ROOT_PASSWORD=[[<l14>]] mysql:8", "aws configure": "aws configure set aws_secret_access_key [[<a40>]]", "token in clone": "git clone https://[[<x40>]]@git.corp.example/a/b.git",
    "httpie -a": "http -a bob:[[<a12>]] GET api.corp.example/me", "lftp": "lftp -u bob,[[<a12>]] sftp.corp.example", "sqlplus": "sqlplus scott/[[<a12>]]@//db:1521/XE", "sqlcmd": "sqlcmd -S db -U sa -P '[[<m14>]]' -Q 'select 1'",
    "vault kv": "vault kv put secret/app password=[[<l12>]]", "vault login": "vault login [[hvs.<a24>]]", "terraform var": "terraform apply -var='db_password=[[<a14>]]'", "PowerShell": 'ConvertTo-SecureString "[[<a12>!]]" -AsPlainText -Force',
    "cmdkey": "cmdkey /add:srv /user:bob /pass:[[<a12>]]", "plink": "plink -ssh bob@box -pw [[<a12>]] uptime", "nmcli": "nmcli dev wifi connect Office password '[[<a12>]]'", "curl cookie": "curl -b 'sid=[[<a32>]]' https://app.corp.example/", "net use": r"net use Z: \\srv\share [[<a12>]] /user:corp\bob",
    "heroku config": "heroku config:set STRIPE_SIGNING=[[whsec_<a32>]] SESSION_SECRET=[[<a24>]]", "wandb login": "wandb login [[<x40>]]", "wget": "wget --user=bob --http-password=[[<l12>]] http://x.corp.example/f", "argv": '["psql", "--password", "[[<a12>]]"]',
    "rclone": "rclone config create nas sftp host=nas user=bob pass=[[<a22>]]", "mc alias": "mc alias set store http://minio:9000 admin [[<a20>]]", "rabbitmq": "rabbitmqctl add_user bob [[<a14>]]", "useradd": "net user bob [[<a12>]] /add", "snmp": "snmpwalk -v2c -c [[<a12>]] 10.0.0.4",
}  # fmt: skip
"""What stands behind a flag or at its place in a command."""

SETTINGS = {
    "letters alone": "DB_PASSWORD=[[<l14>]]", "quoted short": "password: '[[<a5>]]'", "MYSQL_PWD": "MYSQL_PWD=[[<a12>]] mysqldump main", "ADMIN_PW": "ADMIN_PW=[[<a12>]]", "Rails": "SECRET_KEY_BASE=[[<x128>]]", "Laravel": "APP_KEY=base64:[[<a43>=]]",
    "signs": "SMTP_PASSWORD=[[<a4>$<a4>&(<a4>)]]", "JDBC": "jdbc:sqlserver://db:1433;user=sa;password=[[<l12>]];encrypt=true", "JDBC Oracle": "jdbc:oracle:thin:scott/[[<a12>]]@db:1521:xe", ".NET": "Server=db;Database=m;User Id=sa;Password=[[<l12>]];", "ODBC": "Driver={x};UID=sa;PWD=[[<l12>]]",
    "Spring": "spring.datasource.password=[[<l12>]]", "YAML name and value": "- name: DB_PASSWORD\n  value: [[<a14>]]", "YAML folded": "password: >-\n  [[<a14>]]", "appSettings": '<add key="SmtpPassword" value="[[<a12>]]"/>', "HTML form": '<input type="password" name="pw" value="[[<a12>]]">',
    "kubeconfig": "client-key-data: [[LS0tLS1CRUdJTi<a80>]]", "K8s secret": "kind: Secret\ndata:\n  password: [[<a18>==]]", "Azure bus": "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=[[<a43>=]]", "WireGuard": "[Interface]\nPrivateKey = [[<a43>=]]", "Wi-Fi": 'network={\n ssid="Office"\n psk="[[<a12>]]"\n}',
    "JWK": '{"kty":"RSA","n":"0vx7","e":"AQAB","d":"[[<a86>]]"}', "PuTTY key": "PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n[[<a48>]]\nPrivate-MAC: 00", "shadow": "bob:[[$6$<a8>$<a86>]]:19000:0:99999:7:::", "htpasswd line": "bob:[[$apr1$<a8>$<a22>]]", "bcrypt": "hash is [[$2b$12$<a53>]]",
    "TOTP": "otpauth://totp/Corp:bob?secret=[[JBSWY3DP<u16>]]&issuer=Corp", "npmrc _auth": "//npm.corp.example/:_auth=[[<a26>==]]", "Ansible": "box ansible_host=10.0.0.2 ansible_ssh_pass=[[<l12>]]", "Cisco": "username admin privilege 15 secret 0 [[<a12>]]", "CSV": "user,password\nbob,[[<a12>]]", "table": "| password | [[<a12>]] |",
    "German": "Passwort: [[<a12>]]", "Spanish": "contraseña: [[<a12>]]", "Chinese": "密码：[[<a12>]]", "Russian": "пароль: [[<a12>]]", "Terraform state": '{"name": "db_password", "value": "[[<a14>]]", "sensitive": true}', "camelCase": '{"dbPass": "[[<a12>]]"}', "list of settings": 'env: ["API_SECRET", "[[<a16>]]"]',
}  # fmt: skip
"""What stands under a telling name, in the form of a file."""

REQUESTS = {
    "form": "POST /login HTTP/1.1\n\nusername=bob&password=[[<l12>]]&go=1", "form encoded": "username=bob&password=[[<a6>%21<a6>]]", "Python tuple": "requests.get(url, auth=('bob', '[[<a12>]]'))", "HTTPBasicAuth": 'HTTPBasicAuth("bob", "[[<a12>]]")', "login call": 'smtp.login("bob", "[[<a12>]]")',
    "Basic short": "Authorization: Basic [[<a14>==]]", "ApiKey": "Authorization: ApiKey [[<a40>]]", "Digest": 'Authorization: Digest username="bob", response="[[<x32>]]"', "Supabase header": "apikey: [[<a40>]]", "Subscription": "Ocp-Apim-Subscription-Key: [[<x32>]]", "Private-Token": "PRIVATE-TOKEN: [[<a20>]]",
    "Datadog": "DD-API-KEY: [[<x32>]]", "JSESSIONID": "GET /a;jsessionid=[[<u32>]] 200", "PHPSESSID": "redirected with PHPSESSID=[[<l26>]]", "AWS signature": "Credential=A/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=[[<x64>]]", "document.cookie": "document.cookie = 'auth=[[<a24>]]'",
    "OAuth code": "GET /callback?state=1&code=[[<a30>]] 302", "reset link": "https://app.corp.example/reset-password/[[<a40>]]", "magic link": "https://app.corp.example/login?otp=[[<a24>]]", "escaped twice": '{\\\\\\"password\\\\\\": \\\\\\"[[<a12>]]\\\\\\"}', "bytes": "b'{\"secret\":\"[[<a14>]]\"}'", "SOAP": '<wsse:Password Type="PasswordText">[[<a12>]]</wsse:Password>',
    "LDIF": "userPassword:: [[<a18>==]]", "gRPC metadata": "metadata=(('authorization', '[[<a32>]]'),)", "redis AUTH": "AUTH default [[<a16>]]", "SMTP AUTH": "AUTH PLAIN [[AGJvYgBo<a16>]]", "IMAP": 'a1 LOGIN bob "[[<a12>]]"', "FTP": "USER bob\nPASS [[<a12>]]", "SQL": "ALTER USER bob WITH PASSWORD $$[[<a12>]]$$", "SET PASSWORD": "SET PASSWORD FOR 'bob' = '[[<a12>]]'",
}  # fmt: skip
"""What a request carries."""

PROSE = {
    "is": "my password is [[<l6>-<l6>]], please log in with it", "pin": "the pin of the safe in room four is [[<d6>]]", "login words": "just log in as bob, [[<a9>]], like always", "spelled": "the passphrase: four words, [[<l6> <l5> <l6> <l5>]]", "mail": "use what Ann sent, I think it was [[<l8><d2>]]",
}  # fmt: skip
"""What only a reader understands. These may pass."""

SECRETS = {
    f"{group}: {name}": form
    for group, forms in (("beginning", BEGINNINGS), ("command", COMMANDS), ("setting", SETTINGS), ("request", REQUESTS), ("prose", PROSE))
    for name, form in forms.items()
}  # fmt: skip

HARMLESS = [
    "git log shows 8f14e45fceea167a5a36dedd4bea2543cb1f0e1b as the last commit", "request id 550e8400-e29b-41d4-a716-446655440000 failed", "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  a.bin",
    "password: must have at least 12 characters", "def check_password(user, password):", "token = next(tokens)", "self.token = Token(TokenKind.NAME, 'x1')", "for key in sorted(keys): print(key)", "primary key (order_id, line_no)", "PASS test_login.py::test_password_reset",
    "secret santa list 2026 for the team", "The password field is empty", "const token = await getToken();", "Error: invalid token '}' at line 12", "max_tokens=4096, temperature=0.2", "tokenizer.eos_token_id = 50256", "docker run -p 127.0.0.1:5432:5432 postgres:16", "mkdir -p out/run1 && cp -p a.txt b.txt",
    "zip -r out.zip folder1", "7z a -mx9 out.7z folder1", "user:group 1000:1000", "http -v GET localhost:8080/items", "chown bob:staff1234 a.txt", "ps -p 12345 -o cmd", "sed -n -e 's/a/b/p' file1.txt", "echo 'total:12345' | tee out.txt", "unknown option --password-file", "Keys: name, id, total2026",
    "re_match_2 = re.compile('x')", "sl.append(item12)", "sk_buff_head_init_1", "access-control-allow-origin: example", "s.startswith('abc123')", "login(user1, page2)", "auth=None, timeout=30", "Cookie consent banner shown on page 12", "Passwort vergessen? Hier klicken", "¿Olvidó su contraseña?", "密码不能为空", "введите пароль ещё раз",
    "column,password_changed_at\nbob,2026-01-01", "| token | count |\n| the | 120 |", "ssh -p 2222 box1", "api-version-2026-01-01-preview", "rnd_seed_2026_for_the_third_run", "https://git.corp.example/a/b/commit/3f786850e387550fdab836ed7e6dc881de23001b", "psk_length must be 8", "PRIVATE-TOKEN header is missing", "Authorization header not set",
    "USER bob does not exist", "PASS 12 of 14 tests", "AUTH failed after 3 tries", "pat1234.csv", "npm run build:prod2", "python -c 'print(1)'", "value: 12 units\n- name: total", "session=closed after 30 s", "api-gateway-0 1/1 Running 12 restarts", "-pw 80 -ph 24",
]  # fmt: skip
"""What looks like one and is none: must stay as it is."""
