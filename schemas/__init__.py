"""The contracts: JSON Schemas, the OpenAPI document and the SQL. Generated, except for the SQL."""
