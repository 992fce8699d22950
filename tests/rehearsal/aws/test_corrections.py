"""Answers that the emulators get wrong, as AWS gives them."""

import json

import pytest
from botocore.exceptions import ClientError

from rehearsal.aws import EmulatedAws
from tests.rehearsal.aws.clients import client
from tests.rehearsal.aws.test_emulated_aws import a_subnet

ROLE = "arn:aws:iam::111122223333:role/any"


def test_a_cluster_has_a_security_group_in_its_own_vpc_until_it_is_deleted(emulated_aws: EmulatedAws) -> None:
    eks, ec2, subnet = client(emulated_aws, "eks"), client(emulated_aws, "ec2"), a_subnet(emulated_aws)
    vpc = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
    eks.create_cluster(name="with-group", roleArn=ROLE, resourcesVpcConfig={"subnetIds": [subnet]})
    placed = eks.describe_cluster(name="with-group")["cluster"]["resourcesVpcConfig"]
    (group,) = ec2.describe_security_groups(GroupIds=[placed["clusterSecurityGroupId"]])["SecurityGroups"]
    assert placed["vpcId"] == group["VpcId"] == vpc
    assert {"Key": "aws:eks:cluster-name", "Value": "with-group"} in group["Tags"]
    eks.delete_cluster(name="with-group")
    with pytest.raises(ClientError, match="InvalidGroup"):
        ec2.describe_security_groups(GroupIds=[placed["clusterSecurityGroupId"]])


@pytest.mark.parametrize(("asked", "answered"), [({"supportType": "STANDARD"}, "STANDARD"), (None, "EXTENDED")])
def test_a_cluster_keeps_its_upgrade_policy(
    emulated_aws: EmulatedAws, asked: dict[str, str] | None, answered: str
) -> None:
    eks, name = client(emulated_aws, "eks"), f"upgraded-{answered.lower()}"
    place = {"subnetIds": [a_subnet(emulated_aws)]}
    eks.create_cluster(name=name, roleArn=ROLE, resourcesVpcConfig=place, **({"upgradePolicy": asked} if asked else {}))
    assert eks.describe_cluster(name=name)["cluster"]["upgradePolicy"] == {"supportType": answered}


def test_an_addon_names_its_pod_identities_and_takes_them_with_it(emulated_aws: EmulatedAws) -> None:
    eks = client(emulated_aws, "eks")
    eks.create_cluster(name="addons", roleArn=ROLE, resourcesVpcConfig={"subnetIds": [a_subnet(emulated_aws)]})
    identity = {"serviceAccount": "aws-node", "roleArn": ROLE}
    eks.create_addon(clusterName="addons", addonName="vpc-cni", podIdentityAssociations=[identity])
    (arn,) = eks.describe_addon(clusterName="addons", addonName="vpc-cni")["addon"]["podIdentityAssociations"]
    association = eks.describe_pod_identity_association(clusterName="addons", associationId=arn.rpartition("/")[2])
    assert association["association"]["serviceAccount"] == "aws-node"
    eks.delete_addon(clusterName="addons", addonName="vpc-cni")
    assert eks.list_pod_identity_associations(clusterName="addons")["associations"] == []


def test_a_node_group_keeps_what_it_was_asked_for(emulated_aws: EmulatedAws) -> None:
    eks, subnet = client(emulated_aws, "eks"), a_subnet(emulated_aws)
    eks.create_cluster(name="nodes", roleArn=ROLE, resourcesVpcConfig={"subnetIds": [subnet]})
    asked = {"launchTemplate": {"id": "lt-1", "version": "1"}, "updateConfig": {"maxUnavailable": 1}}
    eks.create_nodegroup(clusterName="nodes", nodegroupName="system", subnets=[subnet], nodeRole=ROLE, **asked)
    group = eks.describe_nodegroup(clusterName="nodes", nodegroupName="system")["nodegroup"]
    assert {name: group[name] for name in asked} == asked
    assert "diskSize" not in group


def test_a_prometheus_workspace_keeps_its_key(emulated_aws: EmulatedAws) -> None:
    amp, key = client(emulated_aws, "amp"), "arn:aws:kms:us-east-1:111122223333:key/any"
    workspace_id = amp.create_workspace(alias="with-key", kmsKeyArn=key)["workspaceId"]
    assert amp.describe_workspace(workspaceId=workspace_id)["workspace"]["kmsKeyArn"] == key


def test_there_are_no_grafana_workspaces(emulated_aws: EmulatedAws) -> None:
    assert client(emulated_aws, "grafana").list_workspaces()["workspaces"] == []


def test_a_domain_of_a_user_pool_is_of_the_account_that_owns_the_pool(emulated_aws: EmulatedAws) -> None:
    cognito = client(emulated_aws, "cognito-idp")
    assert cognito.describe_user_pool_domain(Domain="nobodys")["DomainDescription"] == {}
    pool = cognito.create_user_pool(PoolName="with-domain")["UserPool"]["Id"]
    cognito.create_user_pool_domain(Domain="with-domain", UserPoolId=pool)
    described = cognito.describe_user_pool_domain(Domain="with-domain")["DomainDescription"]
    assert (described["UserPoolId"], described["AWSAccountId"]) == (pool, emulated_aws.account_id)


def test_a_bucket_answers_its_notifications_as_they_were_put(emulated_aws: EmulatedAws) -> None:
    s3 = client(emulated_aws, "s3")
    s3.create_bucket(Bucket="notifies")
    s3.put_bucket_notification_configuration(
        Bucket="notifies", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    assert s3.get_bucket_notification_configuration(Bucket="notifies")["EventBridgeConfiguration"] == {}


def test_access_logs_are_written_in_the_format_that_was_put_while_the_policy_lets_them(
    emulated_aws: EmulatedAws,
) -> None:
    s3 = client(emulated_aws, "s3")
    for bucket in ("logged", "logged-logs"):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_policy(Bucket="logged-logs", Policy=may_write("Allow", {"Service": "logging.s3.amazonaws.com"}))
    logging = {
        "TargetBucket": "logged-logs",
        "TargetPrefix": "x/",
        "TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}},
    }
    s3.put_bucket_logging(Bucket="logged", BucketLoggingStatus={"LoggingEnabled": logging})
    assert s3.get_bucket_logging(Bucket="logged")["LoggingEnabled"] == logging
    s3.put_bucket_policy(Bucket="logged-logs", Policy=may_write("Deny", "*"))
    before = s3.list_objects_v2(Bucket="logged-logs")["KeyCount"]
    assert s3.get_bucket_logging(Bucket="logged")["LoggingEnabled"] == logging
    assert s3.list_objects_v2(Bucket="logged-logs")["KeyCount"] == before > 0
    s3.delete_bucket(Bucket="logged")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.get_bucket_logging(Bucket="logged")


def test_a_policy_that_denies_without_tls_denies_nothing_here_and_is_answered_as_put(
    emulated_aws: EmulatedAws,
) -> None:
    s3 = client(emulated_aws, "s3")
    s3.create_bucket(Bucket="tls-only")
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::tls-only", "arn:aws:s3:::tls-only/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket="tls-only", Policy=policy)
    s3.put_object(Bucket="tls-only", Key="any", Body=b"any")
    assert s3.head_object(Bucket="tls-only", Key="any")["ContentLength"] == 3
    assert s3.get_bucket_policy(Bucket="tls-only")["Policy"] == policy
    s3.delete_bucket_policy(Bucket="tls-only")
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket="tls-only")


def may_write(effect: str, principal: object) -> str:
    resource = "arn:aws:s3:::logged-logs/*"
    statement = {"Effect": effect, "Principal": principal, "Action": "s3:PutObject", "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_rule_that_refers_to_a_group_keeps_its_description(emulated_aws: EmulatedAws) -> None:
    ec2 = client(emulated_aws, "ec2")
    group = ec2.create_security_group(GroupName="described", Description="any")["GroupId"]
    pairs = [{"GroupId": group, "Description": "pods"}]
    permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": pairs}
    (rule,) = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])["SecurityGroupRules"]
    rules = ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
    assert [each["Description"] for each in (rule, *rules["SecurityGroupRules"])] == ["pods", "pods"]


def test_a_launch_template_keeps_its_own_tags_to_itself(emulated_aws: EmulatedAws) -> None:
    ec2, tags = client(emulated_aws, "ec2"), [{"Key": "a", "Value": "b"}]
    ec2.create_launch_template(
        LaunchTemplateName="tagged",
        LaunchTemplateData={"TagSpecifications": [{"ResourceType": "instance", "Tags": tags}]},
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": tags}],
    )
    (version,) = ec2.describe_launch_template_versions(LaunchTemplateName="tagged")["LaunchTemplateVersions"]
    specifications = version["LaunchTemplateData"]["TagSpecifications"]
    assert [each["ResourceType"] for each in specifications] == ["instance"]


def test_a_database_keeps_its_performance_insights_and_parameters(emulated_aws: EmulatedAws) -> None:
    rds = client(emulated_aws, "rds")
    rds.create_db_parameter_group(DBParameterGroupName="own", DBParameterGroupFamily="postgres17", Description="any")
    parameter = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName="own", Parameters=[parameter])
    (found,) = rds.describe_db_parameters(DBParameterGroupName="own")["Parameters"]
    assert found["Source"] == "user"
    rds.create_db_instance(
        DBInstanceIdentifier="watched",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        EnablePerformanceInsights=True,
    )
    (instance,) = rds.describe_db_instances(DBInstanceIdentifier="watched")["DBInstances"]
    assert (instance["PerformanceInsightsEnabled"], instance["PerformanceInsightsRetentionPeriod"]) == (True, 7)


def test_a_cache_subnet_group_is_gone_when_it_was_deleted(emulated_aws: EmulatedAws) -> None:
    caches, subnet = client(emulated_aws, "elasticache"), a_subnet(emulated_aws)
    for name in ("kept", "gone"):
        caches.create_cache_subnet_group(
            CacheSubnetGroupName=name,
            CacheSubnetGroupDescription="of a test",
            SubnetIds=[subnet],
            Tags=[{"Key": "Kind", "Value": "caches"}],
        )
    assert len(found_by_tag(emulated_aws, "caches")) == 2
    caches.delete_cache_subnet_group(CacheSubnetGroupName="gone")
    assert len(found_by_tag(emulated_aws, "caches")) == 1
    left = [group["CacheSubnetGroupName"] for group in caches.describe_cache_subnet_groups()["CacheSubnetGroups"]]
    assert left == ["kept"]
    for ask in (caches.describe_cache_subnet_groups, caches.delete_cache_subnet_group):
        with pytest.raises(ClientError, match="CacheSubnetGroupNotFoundFault"):
            ask(CacheSubnetGroupName="gone")


def test_a_prefix_list_is_not_found_by_its_tags_when_it_was_deleted(emulated_aws: EmulatedAws) -> None:
    ec2, tags = client(emulated_aws, "ec2"), [{"Key": "Kind", "Value": "addresses"}]
    made = ec2.create_managed_prefix_list(
        PrefixListName="of-a-test",
        MaxEntries=1,
        AddressFamily="IPv4",
        TagSpecifications=[{"ResourceType": "prefix-list", "Tags": tags}],
    )
    assert len(found_by_tag(emulated_aws, "addresses")) == 1
    ec2.delete_managed_prefix_list(PrefixListId=made["PrefixList"]["PrefixListId"])
    assert found_by_tag(emulated_aws, "addresses") == []


def found_by_tag(aws: EmulatedAws, kind: str) -> list[str]:
    pages = client(aws, "resourcegroupstaggingapi").get_paginator("get_resources")
    filters = [{"Key": "Kind", "Values": [kind]}]
    return [
        each["ResourceARN"] for page in pages.paginate(TagFilters=filters) for each in page["ResourceTagMappingList"]
    ]
