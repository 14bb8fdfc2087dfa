import type pg from 'pg'

/**
 * A database's schema as one canonical text, by PostgreSQL's own words for each object, ordered by name. Asked of the
 * catalog and not of pg_dump, whose output differs between versions and which is not at hand everywhere.
 */
export async function schemaText (client: pg.ClientBase): Promise<string> {
  const parts: string[] = []
  for (const query of [TABLES, FUNCTIONS, AGGREGATES, TRIGGERS]) {
    const { rows } = await client.query<{ text: string }>(query)
    for (const { text } of rows) parts.push(text)
  }
  return HEADER + parts.join('\n')
}

const HEADER = `-- What the migrations make, as the catalog tells it. Not to be edited: test/stores/postgres/schema.test.ts compares it
-- with a fresh database, and writes it when WRITE_SCHEMA=1. Monthly partitions are left out, and the table of versions.

`

/** Not: partitions by month, which depend on the day, and the table of applied migrations. */
const OURS = "n.nspname = 'public' and c.relname !~ '_[0-9]{4}_[0-9]{2}$' and c.relname <> 'relaycore_migrations'"

const TABLES = `
select 'create table ' || c.relname || coalesce((
    select ' partition of ' || inhparent::regclass || ' ' || pg_get_expr(c.relpartbound, c.oid)
    from pg_inherits where inhrelid = c.oid), '') || E' (\\n' || (
    select string_agg('  ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
      || case when a.attidentity = 'a' then ' generated always as identity' else '' end
      || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
      || case when a.attnotnull then ' not null' else '' end, E',\\n' order by a.attnum)
    from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  ) || E'\\n)' || coalesce(' partition by ' || pg_get_partkeydef(c.oid), '')
  || coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', '') || E';\\n'
  || coalesce((
    select string_agg('alter table ' || c.relname || ' add constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
      || E';\\n', '' order by k.conname)
    from pg_constraint k where k.conrelid = c.oid and k.contype <> 'n'), '')
  || coalesce((
    select string_agg(pg_get_indexdef(i.indexrelid) || E';\\n', '' order by x.relname)
    from pg_index i join pg_class x on x.oid = i.indexrelid
    where i.indrelid = c.oid and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u'))
  ), '')
  || coalesce((
    select string_agg('comment on ' || case when o.objsubid = 0 then 'table ' || c.relname
      else 'column ' || c.relname || '.' || a.attname end || ' is ' || quote_literal(o.description) || E';\\n', ''
      order by o.objsubid)
    from pg_description o left join pg_attribute a on a.attrelid = c.oid and a.attnum = o.objsubid
    where o.objoid = c.oid and o.classoid = 'pg_class'::regclass), '') as text
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and ${OURS}
order by c.relname collate "C"`

const FUNCTIONS = `
select pg_get_functiondef(p.oid) || E';\\n'
  || coalesce('comment on function ' || p.proname || ' is ' || quote_literal(obj_description(p.oid, 'pg_proc')) || E';\\n', '') as text
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname = 'public' and p.prokind <> 'a'
  and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
order by p.proname collate "C", pg_get_function_identity_arguments(p.oid) collate "C"`

const AGGREGATES = `
select 'create aggregate ' || a.aggfnoid::regprocedure || ' (sfunc = ' || a.aggtransfn || ', stype = ' || format_type(a.aggtranstype, null)
  || coalesce(', initcond = ' || quote_literal(a.agginitval), '') || case when a.aggcombinefn::oid = 0 then ''
    else ', combinefunc = ' || a.aggcombinefn end || ', parallel = ' || p.proparallel::text || E');\\n'
  || coalesce('comment on aggregate ' || a.aggfnoid::regprocedure || ' is ' || quote_literal(obj_description(p.oid, 'pg_proc')) || E';\\n', '') as text
from pg_aggregate a join pg_proc p on p.oid = a.aggfnoid join pg_namespace n on n.oid = p.pronamespace
where n.nspname = 'public'
order by p.proname collate "C"`

const TRIGGERS = `
select pg_get_triggerdef(t.oid) || E';\\n' as text
from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
where not t.tgisinternal and ${OURS}
order by c.relname collate "C", t.tgname collate "C"`
