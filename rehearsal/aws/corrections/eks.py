"""EKS, on ministack.

- The cluster's security group and VPC are invented; AWS makes the group in the VPC of the cluster's subnets
  (user guide, "Amazon EKS security group requirements"), tags it, and deletes it with the cluster. It is made on the
  EC2 of the same account here, so that rules may refer to it.
- `upgradePolicy` is forgotten; AWS answers it, EXTENDED where nothing was asked for (API reference, Cluster).
- A cluster answers at an invented address; where a rehearsal runs one, its address and certificate authority are
  answered, which the rehearsal puts at a path that AWS does not have.
- An add-on's `podIdentityAssociations` are answered as they were asked for; AWS makes the associations and answers
  their ARNs (API reference, Addon).
- A node group's launch template, update and repair settings are forgotten, and it is said to have a disk size; AWS
  answers the three, and no disk size where a launch template has it (API reference, Nodegroup).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlencode

from rehearsal.aws.call import Answer, Call, Proceed
from rehearsal.aws.corrections.eks_updates import EksUpdates
from rehearsal.aws.corrections.xml_answer import XmlAnswer

_CLUSTER = re.compile(r"/clusters/([^/]+)")
# No path of AWS: where the rehearsal says at which address a cluster really is.
PLACE = "/_rehearsal/clusters/"
_NODE_GROUP = re.compile(r"/clusters/([^/]+)/node-groups(?:/([^/]+))?")
_ADDON = re.compile(r"/clusters/([^/]+)/addons(?:/([^/]+))?(/update)?")

_OF_NODE_GROUPS = ("launchTemplate", "updateConfig", "nodeRepairConfig")


class Eks:
    """Remembers what ministack does not: policies, security groups, and which associations belong to an add-on."""

    def __init__(self) -> None:
        self._clusters: dict[str, dict[str, Any]] = {}
        self._places: dict[str, dict[str, Any]] = {}
        self._associations: dict[tuple[str, str], list[str]] = {}
        self._node_groups: dict[str, dict[str, Any]] = {}
        self._updates = EksUpdates()

    async def answer(self, call: Call, proceed: Proceed) -> Answer:
        """Clusters and add-ons as AWS answers them; all else as ministack does."""
        if call.path.startswith(PLACE) and call.method == "PUT":
            self._places[call.path.removeprefix(PLACE)] = call.json
            return Answer(204, (), b"")
        if (updated := self._updates.answer(call)) is not None:
            return updated
        if call.method == "DELETE":
            self._updates.forget(call.path)
        if call.path == "/clusters" and call.method == "POST":
            return await self._create_cluster(call, proceed)
        if match := _CLUSTER.fullmatch(call.path):
            answer = await proceed(call)
            if answer.succeeded and call.method == "DELETE":
                await self._delete_security_group(call, proceed, match[1])
            return self._with_cluster(answer)
        if _NODE_GROUP.fullmatch(call.path):
            return self._with_node_group(call, await proceed(call))
        if match := _ADDON.fullmatch(call.path):
            return await self._addon(call, proceed, match[1], match[2] or call.json.get("addonName", ""))
        return await proceed(call)

    async def _create_cluster(self, call: Call, proceed: Proceed) -> Answer:
        answer = await proceed(call)
        if not answer.succeeded:
            return answer
        asked = call.json
        name, subnet_ids = asked["name"], asked["resourcesVpcConfig"]["subnetIds"]
        subnets = await _ec2(call, proceed, {"Action": "DescribeSubnets", "SubnetId.1": subnet_ids[0]})
        vpc_id = _text(subnets, "vpcId")
        group = await _ec2(
            call,
            proceed,
            {
                "Action": "CreateSecurityGroup",
                "GroupName": f"eks-cluster-sg-{name}",
                "GroupDescription": "EKS created security group applied to ENI attached to EKS control plane nodes",
                "VpcId": vpc_id,
                "TagSpecification.1.ResourceType": "security-group",
                "TagSpecification.1.Tag.1.Key": "aws:eks:cluster-name",
                "TagSpecification.1.Tag.1.Value": name,
                "TagSpecification.1.Tag.2.Key": f"kubernetes.io/cluster/{name}",
                "TagSpecification.1.Tag.2.Value": "owned",
            },
        )
        self._clusters[name] = {
            "upgradePolicy": asked.get("upgradePolicy") or {"supportType": "EXTENDED"},
            "vpc": {"vpcId": vpc_id, "clusterSecurityGroupId": _text(group, "groupId")},
        }
        return self._with_cluster(answer)

    async def _delete_security_group(self, call: Call, proceed: Proceed, name: str) -> None:
        group_id = self._clusters[name]["vpc"]["clusterSecurityGroupId"]
        await _ec2(call, proceed, {"Action": "DeleteSecurityGroup", "GroupId": group_id})

    def _with_cluster(self, answer: Answer) -> Answer:
        if not answer.succeeded:
            return answer
        cluster = answer.json["cluster"]
        known = self._clusters[cluster["name"]]
        vpc = {**cluster["resourcesVpcConfig"], **known["vpc"]}
        return answer.with_json(
            {
                "cluster": {
                    **cluster,
                    **self._places.get(cluster["name"], {}),
                    **self._updates.version(f"/clusters/{cluster['name']}"),
                    "upgradePolicy": known["upgradePolicy"],
                    "resourcesVpcConfig": vpc,
                }
            }
        )

    def _with_node_group(self, call: Call, answer: Answer) -> Answer:
        group = answer.json.get("nodegroup")
        if not answer.succeeded or group is None:
            return answer
        arn = group["nodegroupArn"]
        if call.method == "POST":
            asked = call.json
            self._node_groups[arn] = {name: asked[name] for name in _OF_NODE_GROUPS if name in asked}
        known = self._node_groups[arn]
        if "launchTemplate" in known:
            del group["diskSize"]
        version = self._updates.version(f"/clusters/{group['clusterName']}/node-groups/{group['nodegroupName']}")
        return answer.with_json({"nodegroup": {**group, **known, **version}})

    async def _addon(self, call: Call, proceed: Proceed, cluster: str, addon: str) -> Answer:
        answer = await proceed(call)
        if not answer.succeeded or not addon:
            return answer
        key = (cluster, addon)
        asked = cast("Sequence[Mapping[str, str]] | None", call.json.get("podIdentityAssociations"))
        if call.method == "DELETE" or (call.method == "POST" and asked is not None):
            for arn in self._associations.pop(key, []):
                await proceed(_association_call(call, "DELETE", cluster, arn.rpartition("/")[2]))
        if call.method == "POST" and asked:
            self._associations[key] = [await _associate(call, proceed, cluster, each) for each in asked]
        document = answer.json
        if "addon" not in document:
            return answer
        return answer.with_json(
            {"addon": {**document["addon"], "podIdentityAssociations": self._associations.get(key, [])}}
        )


async def _associate(call: Call, proceed: Proceed, cluster: str, asked: Mapping[str, str]) -> str:
    body = Answer(0, (), b"").with_json({"namespace": "kube-system", **asked}).body
    answer = await proceed(replace(_association_call(call, "POST", cluster, ""), body=body))
    return str(answer.json["association"]["associationArn"])


def _association_call(call: Call, method: str, cluster: str, association: str) -> Call:
    target = f"/clusters/{cluster}/pod-identity-associations" + (f"/{association}" if association else "")
    return replace(call, method=method, target=target, body=b"")


async def _ec2(call: Call, proceed: Proceed, parameters: Mapping[str, str]) -> Answer:
    """Call EC2 as the caller of `call`.

    Raises:
        ValueError: EC2 refuses.
    """
    scope = f"{call.access_key}/{'0' * 8}/{call.region}/ec2/aws4_request"
    headers = {
        "host": call.headers["host"],
        "content-type": "application/x-www-form-urlencoded",
        "authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none",
    }
    body = urlencode({"Version": "2016-11-15", **parameters}).encode()
    answer = await proceed(Call("POST", "/", headers, body, call.access_key, call.region, "ec2"))
    if not answer.succeeded:
        raise ValueError(f"EC2 refused {parameters!r}: {answer.body!r}")
    return answer


def _text(answer: Answer, name: str) -> str:
    """The text of the first element `name`."""
    return XmlAnswer(answer).all(name)[0].text or ""
