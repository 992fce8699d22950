# What an environment file may say. tasks/environment/ declares the same fields for Python, and a test
# holds the two together. Terraform ignores keys that it does not know; the Python model refuses them.

variable "environment" {
  description = "The environment itself: its name, the account and region it may touch, its budget and its Prefect server."
  nullable    = false
  type = object({
    name       = string
    account_id = optional(string)
    region     = optional(string)
    protected  = bool
    budget     = object({ monthly_usd = number })
    prefect = object({
      api_url       = string
      work_pools    = object({ management = string, cluster = string })
      notifications = optional(string)
      # For AWS: secret is a name of data.secrets.
      credentials = optional(object({ kind = string, secret = string }))
      variables   = optional(map(string), {})
    })
  })

  validation {
    condition     = contains(["local", "dev", "prod"], var.environment.name)
    error_message = "environment.name must be one of local, dev, prod."
  }
  validation {
    condition = alltrue([
      for value in [var.environment.account_id, var.environment.region] : (var.environment.name == "local") == (value == null)
    ])
    error_message = "environment.account_id and environment.region are needed by every environment but local, which has neither."
  }
  validation {
    condition     = var.environment.account_id == null || can(regex("^[0-9]{12}$", var.environment.account_id))
    error_message = "environment.account_id must be 12 digits in quotes, such as \"111122223333\"."
  }
  validation {
    condition     = var.environment.region == null || can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.environment.region))
    error_message = "environment.region must be an AWS region, such as \"us-east-1\"."
  }
  validation {
    condition     = var.environment.budget.monthly_usd >= 0
    error_message = "environment.budget.monthly_usd must be 0 or more."
  }
  validation {
    condition = alltrue([
      for name, value in var.environment.prefect.variables : can(regex("^[a-z][a-z0-9-]*$", name)) && can(regex("\\S", value))
    ])
    error_message = "environment.prefect.variables must be strings that are not empty, by names of a-z, 0-9 and -."
  }
  validation {
    condition     = contains(["api_key", "auth_string"], try(var.environment.prefect.credentials.kind, "api_key"))
    error_message = "environment.prefect.credentials.kind must be one of api_key, auth_string."
  }
  validation {
    condition     = can(regex("^https?://.+", var.environment.prefect.api_url))
    error_message = "environment.prefect.api_url must be a URL that starts with http:// or https://."
  }
}

variable "laptop" {
  description = "Where the local environment keeps its data and listens; every other environment has none."
  default     = null
  type = object({
    data_directory  = string
    listen_host     = string
    ports           = object({ prefect = number, gateway = number, embedding = number, chat = number, agents = number, web_search = number })
    when_port_taken = string
  })

  validation {
    condition     = (var.laptop != null) == (var.environment.name == "local")
    error_message = "The environment local needs a laptop section, others have none."
  }
  validation {
    condition     = var.agents.web_search == null ? true : (var.laptop == null) == (var.agents.web_search.key_variable == null)
    error_message = "agents.web_search needs key_variable in local, and key_secret in every other environment."
  }
  validation {
    condition     = try(alltrue([for port in values(var.laptop.ports) : floor(port) == port && port >= 1024 && port <= 65535]), var.laptop == null)
    error_message = "laptop.ports must be whole numbers from 1024 to 65535."
  }
  validation {
    condition     = try(length(distinct(values(var.laptop.ports))) == length(values(var.laptop.ports)), var.laptop == null)
    error_message = "laptop.ports must all differ."
  }
  validation {
    condition     = try(contains(["pick_free", "refuse"], var.laptop.when_port_taken), var.laptop == null)
    error_message = "laptop.when_port_taken must be one of pick_free, refuse."
  }
}
