"""The other shapes of the stack, made from the template that `sam deploy` packaged."""

from deploying import ok
from world import KEY, REGION, SECRET, STACK, must, until

KMS = "arn:aws:kms:eu-west-1:000000000000:key/11111111-2222-3333-4444-555555555555"
BOUND = "arn:aws:iam::000000000000:policy/bound"

# The parameters, and what must then be there, or must not.
VARIANTS = {
    "everything on": ({"ScenarioApiKey": KEY, "ScenarioApiSecret": SECRET, "KmsKeyArn": KMS, "NotificationEmail": "a@example.com",
                       "AlarmEmail": "b@example.com", "ApiCorsOrigins": "https://studio.example.com", "TransferConcurrency": "5",
                       "ControlConcurrency": "5", "ApiConcurrency": "5", "SubnetIds": "subnet-1,subnet-2", "SecurityGroupIds": "sg-1",
                       "PermissionsBoundaryArn": BOUND, "SyncSchedule": "rate(1 hour)"},
                      {"Bucket", "Secret", "HttpApi", "KeyForWriting", "EndsTopic", "SucceededRule", "FailedRule", "AlarmSubscription",
                       "SyncTick", "SyncDeadLetters", "SyncOverdueAlarm"}, set()),
    "what exists is used": ({"ScenarioSecretArn": "arn:aws:secretsmanager:eu-west-1:000000000000:secret:scenario-AbCdEf", "ExistingBucket": "mine",
                             "WithApi": "false", "WithInbox": "false"}, {"ArchiveStateMachine"},
                            {"Bucket", "BucketPolicy", "Secret", "HttpApi", "ApiFunction", "InboxRule", "InboxFunction", "KeyForWriting", "SyncTick"}),
}


def check(world):
    cloudformation = world.client("cloudformation")
    packaged = cloudformation.get_template(StackName=STACK, TemplateStage="Original")["TemplateBody"]
    # A template in the call itself may have 51,200 bytes.
    world.client("s3").create_bucket(Bucket="variants", CreateBucketConfiguration={"LocationConstraint": REGION})
    world.client("s3").put_object(Bucket="variants", Key="template.yaml", Body=packaged.encode())
    world.client("iam").create_policy(PolicyName="bound", PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}')
    for name, (parameters, there, absent) in VARIANTS.items():
        stack = name.replace(" ", "-")
        cloudformation.create_stack(StackName=stack, TemplateURL=f"{world.endpoint}/variants/template.yaml", Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
                                    Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()])
        found = until(lambda: (s := cloudformation.describe_stacks(StackName=stack)["Stacks"][0])["StackStatus"] not in
                      ("CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS") and s, name)
        events = [e for e in cloudformation.describe_stack_events(StackName=stack)["StackEvents"] if e["ResourceStatus"] == "CREATE_FAILED"]
        must(found["StackStatus"] == "CREATE_COMPLETE", f"{name}: {found['StackStatus']} {events}")
        made = {r["LogicalResourceId"] for r in cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]}
        must(there <= made and not absent & made, f"{name}: missing {there - made}, not wanted {absent & made}")
        unresolved = [o for o in found["Outputs"] if not o["OutputValue"] or "${" in o["OutputValue"]]
        must(not unresolved, f"{name}: {unresolved}")
        ok(f"{name}: {len(made)} resources, {len(found['Outputs'])} outputs")
        cloudformation.delete_stack(StackName=stack)
