#!/usr/bin/env bash
# The steps of a deployment to AWS, for people and for .github/workflows/stage.yml. STACK names the stack.
#   deploy.sh keep     keeps the template that runs, with the code that it names, for `back`
#   deploy.sh deploy   deploys what `sam build` built; what fails halfway is undone by CloudFormation
#   deploy.sh smoke    uploads a generated library, waits for its ends, and watches the alarm for WATCH_S seconds (default: 300)
#   deploy.sh back     deploys what `keep` kept
set -euo pipefail
cd "$(dirname "$0")/.."
stack=${STACK:-photovault}
kept=.aws-sam/previous
say() { printf 'deploy: %s\n' "$*"; }

exists() { aws cloudformation describe-stacks --stack-name "$stack" >/dev/null 2>&1; }

keep() {
    rm -rf "$kept" && mkdir -p "$kept"
    exists || { say "there is no stack $stack yet: nothing to go back to"; return; }
    # As it was given, with the addresses of the code in S3, which `sam deploy` never overwrites.
    aws cloudformation get-template --stack-name "$stack" --template-stage Original --query TemplateBody --output json |
        python3 -c 'import json, sys; body = json.load(sys.stdin); sys.stdout.write(body if isinstance(body, str) else json.dumps(body))' \
            >"$kept/template.yaml"
    aws cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].Parameters' --output json >"$kept/parameters.json"
}

deploy() {
    sam deploy --stack-name "$stack" --resolve-s3 --capabilities CAPABILITY_IAM --no-confirm-changeset --no-fail-on-empty-changeset \
        --on-failure ROLLBACK ${PARAMETERS:+--parameter-overrides $PARAMETERS}
}

output() { aws cloudformation describe-stacks --stack-name "$stack" --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text; }
alarm() { aws cloudwatch describe-alarms --alarm-names "$stack-failures" --query 'MetricAlarms[0].StateValue' --output text; }

smoke() {
    local library deadline state user
    cargo build --release --quiet
    local photovault=${CARGO_TARGET_DIR:-target}/release/photovault
    library=$(mktemp -d)
    user=smoke-$(date +%s)
    # Other photos each time: the vault knows what it has, and would show that instead of making it.
    "$photovault" sample --photos 12 --seed "${user#smoke-}" "$library"
    TABLE=$(output Catalog) UPLOADS_BUCKET=$(output UploadsBucket) VAULT_BUCKET=$(output VaultBucket)
    export TABLE UPLOADS_BUCKET VAULT_BUCKET
    "$photovault" import "$library/photos" --user "$user" # fails where a photo has no end in time
    [ -z "$("$photovault" failures --user "$user" --json)" ] || { say 'not every photo is ready'; return 1; }
    deadline=$((SECONDS + ${WATCH_S:-300}))
    while [ "$SECONDS" -lt "$deadline" ]; do
        state=$(alarm)
        [ "$state" != ALARM ] || { say "the alarm $stack-failures rings: a stage gave up on a message"; return 1; }
        sleep 15
    done
    say "every photo is ready and the alarm $stack-failures is quiet"
}

back() {
    [ -s "$kept/template.yaml" ] || { say 'there was nothing before'; return 1; }
    # Quoted, since an empty value and one with a space would be refused. What is secret was kept as asterisks, and stays as it is.
    local parameters
    mapfile -t parameters < <(python3 -c 'import json, sys
for it in json.load(open(sys.argv[1])) or []:
    if it["ParameterValue"] != "****": print(it["ParameterKey"] + "=" + json.dumps(it["ParameterValue"], ensure_ascii=False))' "$kept/parameters.json")
    say "going back to what ran before"
    sam deploy --template-file "$kept/template.yaml" --stack-name "$stack" --resolve-s3 --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND \
        --no-confirm-changeset --no-fail-on-empty-changeset ${parameters[0]:+--parameter-overrides "${parameters[@]}"}
}

case ${1:-} in
    keep | deploy | smoke | back) "$1" ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
