-- The sum of counts that no ledger brings past a bigint: as one, where sum() goes by arbitrary precision for each group. What
-- would pass it is an error and not a wrong number.
create aggregate total(bigint) (sfunc = int8pl, stype = bigint, initcond = '0', combinefunc = int8pl, parallel = safe);
comment on aggregate total(bigint) is 'of counts; amounts of several accounts are summed by sum()';
