output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "vpc_cidr" {
  description = "The addresses of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "subnet_ids" {
  description = "The subnets by tier (public, private, intra), and by zone within it."
  value       = local.subnet_ids
}

output "endpoint_security_group_id" {
  description = "The group of the interface endpoints."
  value       = aws_security_group.endpoints.id
}

output "egress_addresses" {
  description = "The public addresses that the environment's traffic comes from, by zone of the NAT gateway."
  value       = { for zone, address in aws_eip.nat : zone => address.public_ip }
}
