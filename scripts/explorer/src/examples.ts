/** The operations that open in a browser which has none of its own yet. */

const viewer = `# Who am I, and what may I do here?
query Viewer {
  viewer {
    kind
    name
    scopes
  }
  tenant {
    name
    issuer
    environment
  }
}
`;

const applications = `# The applications of this tenant.
query Applications {
  applications(first: 10) {
    totalCount
    nodes {
      id
      name
      clientId
      applicationType
      createdAt
    }
  }
}
`;

const create = `# Makes an application. Its secret is shown this once.
mutation CreateApplication($input: ApplicationCreateInput!) {
  applicationCreate(input: $input) {
    application {
      id
      clientId
      name
    }
    clientSecret
    errors {
      code
      field
      message
    }
  }
}
`;

const follow = `# What happens in this tenant, as it happens. Stop it with the button that started it.
subscription Follow {
  logEvents(types: ["user.*", "application.*", "login.*"]) {
    cursor
    event {
      type
      createdAt
      actorKind
      actorId
      details
    }
  }
}
`;

const input = { input: { name: 'My service', applicationType: 'MACHINE_TO_MACHINE' } };

export const examples = [
  { query: viewer },
  { query: applications },
  { query: create, variables: JSON.stringify(input, null, 2) },
  { query: follow },
];
