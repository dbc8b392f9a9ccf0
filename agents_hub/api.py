"""The REST routes of agents, browser profiles and pools; those of files come with them."""

from agents_hub import api_chat, api_chat_agents, api_chat_files, api_files, api_tasks  # noqa: F401  # add their routes
from mcp_gateway.rest.routes import REST_ONLY, api

PROFILE, POOL = "agent-profiles/{profileId}", "agent-profile-pools/{poolId}"

api.add("GET", "agents", "agentList")
api.add("GET", "agents/available-tools", "listAvailableTools")

api.add("GET", "agent-profiles", "agentProfilesList")
api.add("POST", "agent-profiles", "agentProfilesCreate")
api.add("GET", PROFILE, "agentProfileGet")
api.add("PATCH", PROFILE, "agentProfileUpdate")
api.add("DELETE", PROFILE, "agentProfileDelete")
api.add("DELETE", f"{PROFILE}/clear-browser-cache", "agentProfileClearBrowserCache")
api.add("POST", f"{PROFILE}/duplicate", "agentProfileDuplicate", server=REST_ONLY)

api.add("GET", "agent-profile-pools", "agentProfilePoolsList", server=REST_ONLY)
api.add("POST", "agent-profile-pools", "agentProfilePoolsCreate", server=REST_ONLY)
api.add("GET", POOL, "agentProfilePoolGet", server=REST_ONLY)
api.add("PATCH", POOL, "agentProfilePoolUpdate", server=REST_ONLY)
api.add("DELETE", POOL, "agentProfilePoolDelete", server=REST_ONLY)
api.add("GET", f"{POOL}/members", "agentProfilePoolMembersList", server=REST_ONLY)
api.add("POST", f"{POOL}/members", "agentProfilePoolMembersAdd", server=REST_ONLY)
api.add("DELETE", f"{POOL}/members", "agentProfilePoolMembersRemove", server=REST_ONLY)
