"""Updates of emulated EKS: done at once, and answered as AWS answers them."""

from rehearsal.aws import EmulatedAws
from rehearsal.clients import client_of
from tests.rehearsal.aws.test_emulated_aws import a_subnet


def test_a_cluster_and_its_nodes_move_to_another_version(emulated_aws: EmulatedAws) -> None:
    eks, subnet = client_of(emulated_aws, "eks"), a_subnet(emulated_aws)
    role = f"arn:aws:iam::{emulated_aws.account_id}:role/any"
    eks.create_cluster(name="moved", version="1.34", roleArn=role, resourcesVpcConfig={"subnetIds": [subnet]})
    try:
        eks.create_nodegroup(clusterName="moved", nodegroupName="system", subnets=[subnet], nodeRole=role)

        update = eks.update_cluster_version(name="moved", version="1.35")["update"]

        assert eks.describe_update(name="moved", updateId=update["id"])["update"]["status"] == "Successful"
        assert eks.describe_cluster(name="moved")["cluster"]["version"] == "1.35"
        group = {"clusterName": "moved", "nodegroupName": "system"}
        assert eks.describe_nodegroup(**group)["nodegroup"]["version"] == "1.34"
        eks.update_nodegroup_version(**group, version="1.35")
        assert eks.describe_nodegroup(**group)["nodegroup"]["version"] == "1.35"
        assert eks.list_insights(clusterName="moved")["insights"] == []
        eks.delete_nodegroup(**group)
    finally:
        eks.delete_cluster(name="moved")
    eks.create_cluster(name="moved", version="1.34", roleArn=role, resourcesVpcConfig={"subnetIds": [subnet]})
    assert eks.describe_cluster(name="moved")["cluster"]["version"] == "1.34"
    eks.delete_cluster(name="moved")
