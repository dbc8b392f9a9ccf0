"""Makes an organization with an agent for each of the provider's models, and a member's key; prints them as JSON."""

import json
import sys

import django

if __name__ == "__main__":
    django.setup()

    from accounts.caller import Caller, Door
    from accounts.models import Plan, User
    from accounts.scopes import Scope
    from accounts.services import keys
    from accounts.services.organizations import found_organization
    from agents_hub.models import Agent, Stage
    from llm.models import Kind, Provider

    url, *models = sys.argv[1:]
    Plan.objects.update(monthly_ai_tokens=None)
    person = User.objects.create_user("talker@example.com", name="Talker")
    organization = found_organization(person, "Bench")
    Provider.objects.create(
        organization=organization,
        name="bench",
        kind=Kind.COMPATIBLE,
        base_url=url,
        api_key="none",
        default_model=models[0],
        is_default=True,
    )
    agents = {
        model: str(
            Agent.objects.create(organization=organization, name=model, model=f"bench:{model}", stage=Stage.RELEASED).pk
        )
        for model in models
    }
    caller = Caller(user_id=person.pk, scope=Scope.ADMIN, door=Door.COMMAND)
    print(json.dumps({"agents": agents, "key": keys.create_key(caller, name="bench", scope=Scope.WRITE).text}))
